/**
 * `node scripts/audit.ts`: fails if a package that we ship has a vulnerability that is known to the registry. A registry
 * that does not answer the question (mirrors seldom do) is said, and no failure: the release workflow asks the public one.
 */
import { spawnSync } from 'node:child_process';

interface Report {
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string; readonly range: string }>>;
  readonly message?: string;
}

const { stdout } = spawnSync('npm', ['audit', '--omit', 'dev', '--json'], { encoding: 'utf8' });
const report = JSON.parse(stdout || '{"message": "npm audit printed nothing"}') as Report;
if (report.vulnerabilities === undefined) console.log(`The registry does not tell of vulnerabilities: ${report.message}`);
else {
  const found = Object.entries(report.vulnerabilities);
  console.log(`${found.length} packages with known vulnerabilities`);
  for (const [name, { severity, range }] of found) console.log(`  ${name} ${range}: ${severity}`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
