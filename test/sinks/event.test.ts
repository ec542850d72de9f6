import { describe, expect, it } from 'vitest';
import { rules } from '../../src/rules/index.ts';
import { combinedNote, eventName, eventNote, eventOf, eventReason, eventType } from '../../src/sinks/event.ts';

const web = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web', uid: 'uid-of-web' };
const entry = {
  ruleId: 'service-selector-matches-no-pods',
  messageId: 'none',
  severity: 'high',
  mode: 'warn',
  fingerprint: '0123456789abcdef',
  message: '',
  field: 'spec.selector',
  fix: 'set it to app=web',
  what: 'the selector matches 0 of 41 Pods',
} as const;

describe('reasons', () => {
  const reasons = rules.map(({ meta }) => eventReason(meta.id));

  it('are words as Kubernetes writes them, and another one for each rule', () => {
    for (const reason of reasons) expect(reason).toMatch(/^([A-Z][a-z0-9]+)+$/);
    for (const reason of reasons) expect(reason.length).toBeLessThanOrEqual(128);
    expect(new Set(reasons).size).toBe(rules.length);
  });

  it('leave out what the Event says itself', () => {
    expect(eventReason('service-selector-matches-no-pods')).toBe('SelectorMatchesNoPods');
    expect(eventReason('network-policy-isolates-dns')).toBe('IsolatesDns');
    expect(eventReason('tls-secret-missing')).toBe('TlsSecretMissing');
  });
});

it.each([
  ['deny', 'low', 'Warning'],
  ['warn', 'critical', 'Warning'],
  ['warn', 'high', 'Warning'],
  ['warn', 'medium', 'Normal'],
] as const)('%s of severity %s is %s', (mode, severity, type) => expect(eventType({ mode, severity })).toBe(type));

describe('a note', () => {
  it('says what, the fix, and the rule', () => {
    expect(eventNote(entry)).toBe('spec.selector: the selector matches 0 of 41 Pods; set it to app=web [service-selector-matches-no-pods]');
    expect(eventNote({ ...entry, field: '' })).toMatch(/^the selector matches/);
    expect(eventNote({ ...entry, field: `metadata.labels[${'x'.repeat(900)}]` })).toContain('the selector matches 0 of 41 Pods; set it');
  });

  it.each(['x', 'ä', '漢', '🙂'])('of %s is cut to 1,024 bytes between characters, and keeps the rule', (letter) => {
    const note = eventNote({ ...entry, what: letter.repeat(1_000) });
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1_024);
    expect(Buffer.byteLength(note)).toBeGreaterThan(1_000);
    expect(note).toMatch(/…? ?.*\[service-selector-matches-no-pods\]$/u);
    expect(note).not.toContain('\uFFFD');
    expect(Buffer.byteLength(combinedNote(note))).toBeLessThanOrEqual(1_024);
  });
});

describe('a name', () => {
  const isName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

  it('is the same for the same finding of the same object, and no other', () => {
    expect(eventName(web, 'a')).toBe(eventName({ ...web }, 'a'));
    expect(new Set([eventName(web, 'a'), eventName(web, 'b'), eventName({ ...web, uid: 'other' }, 'a')]).size).toBe(3);
    expect(eventName(web, 'a')).toMatch(/^web\.[0-9a-f]{16}$/);
  });

  it.each(['a'.repeat(253), `${'a'.repeat(199)}.${'b'.repeat(50)}`, `${'a'.repeat(198)}--b`])('of a long object is one: %s', (name) => {
    expect(eventName({ ...web, name }, 'a')).toMatch(isName);
  });
});

it('is what events.k8s.io/v1 asks for', () => {
  const event = eventOf(web, {
    ...entry,
    name: 'web.1',
    note: 'a note',
    instance: 'x'.repeat(200),
    atMs: Date.parse('2026-11-21T10:00:00.123Z'),
  });
  expect(event).toEqual({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'web.1', namespace: 'shop' },
    eventTime: '2026-11-21T10:00:00.123000Z',
    reportingController: 'portcullis.dev/audit',
    reportingInstance: 'x'.repeat(128),
    action: 'Audit',
    reason: 'SelectorMatchesNoPods',
    type: 'Warning',
    regarding: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web', uid: 'uid-of-web' },
    note: 'a note',
  });
});
