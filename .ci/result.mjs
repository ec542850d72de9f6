/**
 * `node .ci/result.mjs REPORT CODE`: the line `N passed, N failed` from vitest's JSON report. Whatever else went wrong
 * counts as one failure: a step before the tests, a file that did not load, a test that was left out. Plain JavaScript,
 * since it also has to run where installing Node 24 is what failed.
 */
import { readFileSync } from 'node:fs';

const [reportPath = '', code = '1'] = process.argv.slice(2);

const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, success } = reportAt(reportPath);
const leftOut = numPendingTests + numTodoTests;
if (leftOut > 0) console.error(`${leftOut} tests were left out, which is a failure here`);
const somethingElse = !success || leftOut > 0 || code !== '0' || numPassedTests === 0;
const failed = numFailedTests > 0 ? numFailedTests : Number(somethingElse);
console.log(`${numPassedTests} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function reportAt(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { success: false, numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  }
}
