import { expect, it } from 'vitest';
import { KubeError } from '../../src/client/kube-client.ts';
import { reasonOf } from '../../src/commands/reason.ts';
import { OperatorError } from '../../src/errors.ts';

const coded = (code: string): Error => Object.assign(new Error(`failed with ${code}`), { code });

it.each<[string, Error, object]>([
  ['a refusal', new KubeError(429, 'TooManyRequests', 'storage is (re)initializing'), { reason: 'storage is (re)initializing' }],
  ['an API server that is away', coded('ECONNREFUSED'), { reason: 'failed with ECONNREFUSED' }],
  ['a connection that hangs', coded('UND_ERR_CONNECT_TIMEOUT'), { reason: 'failed with UND_ERR_CONNECT_TIMEOUT' }],
  ['an answer that does not come', new DOMException('timed out', 'TimeoutError'), { reason: 'timed out' }],
  ['an operator', new OperatorError('PC0004', 'no such file', 'Give one.'), { code: 'PC0004', reason: 'no such file', hint: 'Give one.' }],
])('what %s causes has no stack', (_, error, expected) => expect(reasonOf(error)).toEqual(expected));

it.each([new TypeError('undefined is no function'), coded('ERR_INVALID_ARG_TYPE')])('what is a defect of ours keeps it: %s', (err) =>
  expect(reasonOf(err)).toEqual({ err }),
);
