import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/client/clock.ts';
import { KubeError } from '../../src/client/kube-client.ts';
import { coverageOf, lackingIn, type Reach } from '../../src/cluster/reach.ts';
import { OperatorError } from '../../src/errors.ts';
import type { RawObject } from '../../src/kube/resources.ts';
import { type ListOptions, listCluster } from '../../src/sources/list-cluster.ts';
import { listSecretNames } from '../../src/sources/secret-names.ts';

const refusal = (status: number): KubeError => new KubeError(status, 'Refused', `refused with ${status}`);
type Answer = RawObject | Error;

/** Answers by path, with the query or without; whatever is not there is an empty list. A list of answers is one for each call. */
function serverOf(answers: Readonly<Record<string, Answer | readonly Answer[]>>) {
  const asked: string[] = [];
  const accepted: (string | undefined)[] = [];
  const client = {
    get: async (path: string, signal: AbortSignal, accept?: string): Promise<RawObject> => {
      signal.throwIfAborted();
      asked.push(path);
      accepted.push(accept);
      const times = asked.filter((one) => one === path).length;
      const found = answers[path] ?? answers[path.split('?')[0] as string] ?? { items: [] };
      const answer = (Array.isArray(found) ? (found[times - 1] ?? found.at(-1)) : found) as Answer;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return { client, asked, accepted };
}

/** Nobody waits: what is waited for comes next. */
const hurried: Clock = { ...systemClock, after: (_, action) => systemClock.after(0, action) };

const service = (name: string, namespace = 'shop'): RawObject => ({ metadata: { name, namespace }, spec: { ports: [{ port: 80 }] } });

async function listed(answers: Parameters<typeof serverOf>[0], options: Partial<ListOptions> = {}) {
  const server = serverOf(answers);
  const signal = new AbortController().signal;
  const { resources, reaches } = await listCluster({
    client: server.client,
    workloads: [],
    namespaces: [],
    signal,
    clock: hurried,
    ...options,
  });
  return { ...server, reaches, names: resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`), coverage: coverageOf(reaches) };
}

describe('listCluster', () => {
  it('reads every page of every kind, and says how far it is', async () => {
    const progress: [number, readonly string[]][] = [];
    const { names, coverage } = await listed(
      {
        '/api/v1/services?limit=500': { items: [service('a')], metadata: { continue: 'x/y' } },
        '/api/v1/services?limit=500&continue=x%2Fy': { items: [service('b')] },
        '/apis/apps/v1/deployments': { items: [{ metadata: { name: 'd', namespace: 'shop' }, spec: {} }] },
      },
      { onProgress: (objects, missing) => void progress.push([objects, [...missing]]) },
    );
    expect(names.sort()).toEqual(['Deployment d', 'Service a', 'Service b']);
    expect(coverage('Service', '*')).toBe('complete');
    expect(coverage('Template', 'shop')).toBe('complete');
    expect(progress.at(-1)).toEqual([3, []]);
    expect(progress.some(([, missing]) => missing.includes('services'))).toBe(true);
  });

  it('takes the version that is served, and knows of none where none is', async () => {
    const { names, coverage } = await listed({
      '/apis/external-secrets.io/v1/externalsecrets': refusal(404),
      '/apis/external-secrets.io/v1beta1/externalsecrets': { items: [{ metadata: { name: 'e', namespace: 'shop' } }] },
      '/apis/cert-manager.io/v1/certificates': refusal(404),
    });
    expect(names).toEqual(['ExternalSecret e']);
    expect(coverage('ExternalSecret', 'shop')).toBe('complete');
    expect(coverage('Certificate', 'shop')).toBe('notServed');
  });

  it('knows that a kind is not served, though whoever asks may not list it', async () => {
    const refused = { '/apis/cert-manager.io/v1/certificates': refusal(403), '/apis/bitnami.com/v1alpha1/sealedsecrets': refusal(403) };
    const { coverage } = await listed({ ...refused, '/apis/cert-manager.io': refusal(404), '/apis/bitnami.com': {} });
    expect([coverage('Certificate', 'shop'), coverage('SealedSecret', 'shop')]).toEqual(['notServed', 'forbidden']);
  });

  it('names the kinds of Pod templates that may not be listed, in each namespace', async () => {
    const { reaches } = await listed(
      {
        '/apis/apps/v1/statefulsets': refusal(403),
        '/apis/batch/v1/jobs': refusal(403),
        '/apis/apps/v1/namespaces/shop/statefulsets': { items: [] },
        '/apis/batch/v1/namespaces/shop/jobs': refusal(403),
      },
      { namespaces: ['shop'] },
    );
    const templates = reaches.get('Template') as Reach;
    expect(lackingIn(templates, 'shop')).toEqual(['jobs.batch']);
    expect(lackingIn(templates, 'other')).toEqual(['statefulsets.apps', 'jobs.batch']);
  });

  it('lists in the namespaces that are named what may not be listed everywhere, and claims to know no others', async () => {
    const { names, coverage } = await listed(
      {
        '/api/v1/services': refusal(403),
        '/api/v1/namespaces/shop/services': { items: [service('web')] },
        '/api/v1/namespaces/closed/services': refusal(403),
        '/api/v1/pods': refusal(403),
        '/api/v1/namespaces/shop/pods': refusal(403),
      },
      { namespaces: ['shop', 'closed'] },
    );
    expect(names).toEqual(['Service web']);
    const asked = ['shop', 'closed', 'other', '*'].map((namespace) => coverage('Service', namespace));
    expect(asked).toEqual(['complete', 'forbidden', 'forbidden', 'forbidden']);
    expect(coverage('Pod', 'shop')).toBe('forbidden');
  });

  it('knows templates only where every kind of them is known', async () => {
    const { coverage } = await listed({ '/apis/batch/v1/jobs': refusal(403), '/api/v1/namespaces/shop/jobs': refusal(403) });
    expect(coverage('Template', 'shop')).toBe('forbidden');
  });

  it('reads single Namespaces where they may not be listed: their labels decide what is denied', async () => {
    const { names, coverage } = await listed(
      {
        '/api/v1/namespaces': refusal(403),
        '/api/v1/namespaces/shop': { metadata: { name: 'shop' } },
        '/api/v1/namespaces/x': refusal(403),
      },
      { namespaces: ['shop', 'x'] },
    );
    expect(names).toEqual(['Namespace shop']);
    expect(coverage('Namespace', '')).toBe('forbidden');
  });

  it.each([410, 429, 500, 503])('tries again after %i, and keeps nothing of the first try', async (status) => {
    const { names } = await listed({
      '/api/v1/services?limit=500': [{ items: [service('a')], metadata: { continue: 'x' } }, { items: [service('b')] }],
      '/api/v1/services?limit=500&continue=x': refusal(status),
    });
    expect(names).toEqual(['Service b']);
  });

  it('leaves a broken kind of somebody else unknown, and judges without it', async () => {
    const { coverage } = await listed({ '/apis/cert-manager.io/v1/certificates': refusal(500) });
    expect(coverage('Certificate', 'shop')).toBe('unsynced');
  });

  it.each<[string, Error, string]>([
    ['an API server that knows nobody of our name', refusal(401), 'refused with 401'],
    ['one that goes on failing', refusal(500), 'refused with 500'],
    ['one that is not there', new Error('connect ECONNREFUSED'), 'connect ECONNREFUSED'],
  ])('ends for %s', async (_, error, why) => {
    const failed = await listed({ '/api/v1/pods': error }).catch((cause: unknown) => cause);
    expect(failed).toBeInstanceOf(OperatorError);
    expect(failed).toMatchObject({ code: 'PC0010', message: `/api/v1/pods cannot be read: ${why}` });
  });

  it('ends at once when it is told to', async () => {
    const controller = new AbortController();
    const reason = new Error('Ctrl-C');
    controller.abort(reason);
    await expect(listed({}, { signal: controller.signal })).rejects.toBe(reason);
  });
});

describe('listSecretNames', () => {
  const table = (...names: string[]): RawObject => ({ rows: names.map((name) => ({ cells: [name, 'Opaque', 1, '5d'], object: null })) });
  const { signal } = new AbortController();

  it('asks for nothing but the names', async () => {
    const { client, asked, accepted } = serverOf({
      '/api/v1/namespaces/shop/secrets?includeObject=None&limit=500': { ...table('a'), metadata: { continue: 'k' } },
      '/api/v1/namespaces/shop/secrets?includeObject=None&limit=500&continue=k': table('b'),
      '/api/v1/namespaces/closed/secrets': refusal(403),
    });
    const { secrets, reach } = await listSecretNames(client, { namespaces: ['shop', 'closed'], areAll: false }, signal);
    expect(secrets.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual(['shop/a', 'shop/b']);
    expect([...reach.namespaces]).toEqual([['shop', 'complete']]);
    expect(reach.everywhere).toBe('forbidden');
    expect(asked.every((path) => path.includes('includeObject=None'))).toBe(true);
    expect(new Set(accepted)).toEqual(new Set(['application/json;as=Table;g=meta.k8s.io;v=v1']));
  });

  it('knows of no Secret in a namespace that is not there', async () => {
    const { client } = serverOf({ '/api/v1/namespaces/shop/secrets': table('a'), '/api/v1/namespaces/closed/secrets': refusal(403) });
    const { reach } = await listSecretNames(client, { namespaces: ['shop', 'closed'], areAll: true }, signal);
    expect([reach.everywhere, [...reach.namespaces]]).toEqual(['complete', [['closed', 'forbidden']]]);
  });
});
