import { describe, expect, it } from 'vitest';
import { calledAs, isCompleter, speaking } from '../../src/commands/called-as.ts';
import { run } from '../../src/commands/program.ts';
import { fakeTerminal } from './terminal.ts';

describe('the name', () => {
  it.each([
    ['/usr/local/bin/kubectl-portcullis', 'kubectl portcullis', false],
    ['/home/me/.krew/bin/kubectl-portcullis', 'kubectl portcullis', false],
    ['/usr/local/bin/kubectl_complete-portcullis', 'kubectl portcullis', true],
    ['/app/portcullis.js', 'portcullis', false],
    ['/work/kubectl-portcullis/src/main.ts', 'portcullis', false],
    [undefined, 'portcullis', false],
  ] as const)('of %s', (path, name, completes) => {
    expect([calledAs(path), isCompleter(path)]).toEqual([name, completes]);
  });
});

describe('our own words', () => {
  const said = (text: string, name = 'kubectl portcullis' as const): string => {
    const terminal = fakeTerminal();
    speaking(terminal, name, () => ['check', 'explain']).out(text);
    return terminal.written.out;
  };
  it.each([
    ['Run "portcullis check -".', 'Run "kubectl portcullis check -".'],
    ['helm template . | portcullis check -', 'helm template . | kubectl portcullis check -'],
    ['kubectl portcullis check', 'kubectl portcullis check'],
    ['/usr/bin/portcullis check', '/usr/bin/portcullis check'],
    ['kubectl -n portcullis get pods; portcullis checks nothing', 'kubectl -n portcullis get pods; portcullis checks nothing'],
  ])('%s', (text, typed) => expect(said(text)).toBe(typed));

  it('are told in the hints of errors, and in no output for programs', async () => {
    const [mistyped, listed] = [fakeTerminal(), fakeTerminal()];
    expect(await run(['explain', 'nothing'], mistyped, '1.2.3', 'kubectl portcullis')).toBe(2);
    expect(mistyped.written.error).toContain('"kubectl portcullis rules"');
    const plain = fakeTerminal();
    await run(['rules', '-o', 'json'], plain, '1.2.3');
    await run(['rules', '-o', 'json'], listed, '1.2.3', 'kubectl portcullis');
    expect(listed.written.out).toBe(plain.written.out);
  });
});
