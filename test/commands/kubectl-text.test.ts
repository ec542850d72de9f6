/** Recorded from kubectl 1.36.3 against kube-apiserver 1.36.3 and a webhook that answered so. */
import { expect, it } from 'vitest';
import { admissionAnswer, kubectlText } from '../../src/commands/kubectl-text.ts';

const causes = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    reason: 'FieldValueInvalid',
    field: `spec.f${index}`,
    message: `text ${index}. [rule-x] portcullis`,
  }));
const denied = (count: number, warnings: string[] = []) =>
  admissionAnswer.parse({
    response: {
      uid: '1',
      allowed: false,
      warnings,
      status: {
        status: 'Failure',
        code: 422,
        reason: 'Invalid',
        message: 'MESSAGE',
        details: { kind: 'Service', group: '', name: 'web', causes: causes(count) },
      },
    },
  }).response;
const allowed = (...warnings: string[]) => admissionAnswer.parse({ response: { uid: '1', allowed: true, warnings } }).response;

it('prints one cause on the line that names the object', () => {
  expect(kubectlText(denied(1), 'service/web created')).toEqual(['The Service "web" is invalid: spec.f0: text 0. [rule-x] portcullis']);
});

it('prints several causes as a list', () => {
  expect(kubectlText(denied(2), 'service/web created').join('\n')).toBe(
    'The Service "web" is invalid: \n* spec.f0: text 0. [rule-x] portcullis\n* spec.f1: text 1. [rule-x] portcullis',
  );
});

it('prints warnings first, each once, and then what was done', () => {
  expect(kubectlText(allowed('one [a]', 'two "q" [b]', 'one [a]'), 'service/web created')).toEqual([
    'Warning: one [a]',
    'Warning: two "q" [b]',
    'service/web created',
  ]);
  expect(kubectlText(denied(1, ['one [a]']), 'done')[0]).toBe('Warning: one [a]');
});

it('falls back on the message where there are no causes', () => {
  expect(kubectlText(denied(0), 'done')).toEqual(['Error from server (Invalid): MESSAGE']);
});
