import { describe, expect, it } from 'vitest';
import { differsByAtMost, isCertainTypo, nearestWord, nearestWords, nearMiss } from '../../src/cluster/near-miss.ts';
import { labelsOf } from '../../src/kube/labels.ts';
import type { Workload } from '../../src/kube/resources.ts';

const workload = (name: string, labels: object, kind = 'Deployment'): Workload => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { namespace: 'shop', name },
  pod: { labels: labelsOf(labels), ports: [], probePorts: [], hostNetwork: false, dnsPolicy: '', nameservers: [] },
});

describe('nearestWord', () => {
  it.each([
    ['htpp', ['http', 'https', 'grpc'], 'http'],
    ['wbe', ['cart', 'web'], 'web'],
    ['web', ['web-server', 'cart'], 'web-server'],
    ['web-frontend', ['web', 'database'], 'web'],
    ['Web', ['web', 'wab'], 'web'],
    ['8800', ['8080', '9411'], '8080'],
    ['http', ['grpc', 'metrics'], undefined],
    ['a', ['b-a-c'], undefined], // one letter in common is no likeness
    ['web', [], undefined],
    ['web', ['wec', 'wea'], 'wea'], // of two that are as near, the first by name
  ])('%s among %j: %s', (word, candidates, expected) => expect(nearestWord(word, candidates)).toBe(expected));

  it('gives no time to what no name can be as long as', () => {
    const long = 'a'.repeat(3_000_000);
    const candidates = Array.from({ length: 300 }, (_, index) => `${long}${index}`);
    expect(nearestWord(long, [...candidates, 'web'])).toBeUndefined();
  });

  it('looks at the first of very many candidates only', () => {
    const word = 'ab'.repeat(125);
    let looked = 0;
    function* candidates() {
      yield `${word}c`;
      for (; looked < 2_000_000; looked++) yield `${word}cc`;
    }
    expect(nearestWord(word, candidates())).toBe(`${word}c`);
    expect(looked).toBe(2_000_000);
  });
});

describe('nearMiss', () => {
  const found = (selector: object, ...workloads: readonly Workload[]) => {
    const miss = nearMiss(labelsOf(selector), workloads);
    return (
      miss && {
        name: miss.workload.metadata.name,
        differences: miss.differences.map(({ key, wanted, found }) => `${key}: ${wanted} ≠ ${found}`),
      }
    );
  };

  it('finds the workload with the value that looks alike', () =>
    expect(found({ app: 'wbe' }, workload('cart', { app: 'cart' }), workload('web', { app: 'web' }))).toEqual({
      name: 'web',
      differences: ['app: wbe ≠ web'],
    }));

  it('prefers fewer differences to greater likeness', () =>
    expect(
      found({ app: 'web', tier: 'front' }, workload('both', { app: 'wep', tier: 'fromt' }), workload('one', { app: 'web', tier: 'zzzzz' })),
    ).toEqual({ name: 'one', differences: ['tier: front ≠ zzzzz'] }));

  it('names the keys that the Pods lack', () =>
    expect(found({ app: 'web', track: 'stable' }, workload('web', { app: 'web' }))).toEqual({
      name: 'web',
      differences: ['track: stable ≠ undefined'],
    }));

  it('takes what has nothing in common for no candidate', () =>
    expect(found({ app: 'web' }, workload('db', { app: 'database' }), workload('other', { name: 'cart' }))).toBeUndefined());

  describe('of a value under another key', () => {
    const otherKeys = (selector: object, labels: object) =>
      nearMiss(labelsOf(selector), [workload('web', labels)])?.differences.map(({ key, otherKey }) => `${key}: ${otherKey}`);

    it.each([
      [{ name: 'web' }, { app: 'web' }, ['name: app']],
      [{ name: 'web' }, { app: 'web', 'app.kubernetes.io/name': 'web' }, ['name: app.kubernetes.io/name']],
      [{ release: 'shop', app: 'web' }, { app: 'web', 'app.kubernetes.io/instance': 'shop' }, ['release: app.kubernetes.io/instance']],
      [{ name: 'web', app: 'web' }, { app: 'web' }, ['name: undefined']], // asked for already
      [{ name: 'shop', app: 'web' }, { app: 'web', 'app.kubernetes.io/part-of': 'shop' }, ['name: undefined']], // all of a release
      [{ name: 'web', tier: 'front' }, { app: 'web', 'pod-template-hash': 'front' }, ['name: app', 'tier: undefined']],
      // So many wrong keys are no slip of the pen.
      [{ a: 'ax', b: 'bx', c: 'cx', d: 'dx', app: 'web' }, { app: 'web', e: 'ax' }, ['a', 'b', 'c', 'd'].map((key) => `${key}: undefined`)],
    ])('%j beside %j', (selector, labels, expected) => expect(otherKeys(selector, labels)).toEqual(expected));

    it.each(['true', 'on', '', '1', 'v1.2'])('that many labels have: %j is no candidate', (value) =>
      expect(otherKeys({ canary: value }, { traced: value })).toBeUndefined(),
    );
  });

  it('does not count labels that come at run time', () =>
    expect(found({ app: 'wbe', 'pod-template-hash': 'x' }, workload('web', { app: 'web' }))?.differences).toEqual(['app: wbe ≠ web']));

  it('takes a match for no near miss', () => expect(found({ app: 'web' }, workload('web', { app: 'web' }))).toBeUndefined());

  it('knows none for a selector of very many pairs, whatever the workloads', () => {
    const pairs = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`key-${index}`, 'value']));
    const workloads = Array.from({ length: 1_000 }, (_, index) => workload(`web-${index}`, { app: `web-${index}` }));
    expect(found({ app: 'wbe', ...pairs }, ...workloads)).toBeUndefined();
    expect(found({ app: 'wbe' }, ...workloads, workload('web', { app: 'web' }))?.name).toBe('web');
  });

  it.each([0, 1])('of equals takes a template before Pods, then the first by name, in any order', (turn) => {
    const equals = [workload('b', { app: 'web' }), workload('a', { app: 'web' }), workload('0', { app: 'web' }, 'Pod')];
    expect(found({ app: 'wbe' }, ...(turn === 0 ? equals : equals.toReversed()))?.name).toBe('a');
  });
});

describe('differsByAtMost', () => {
  it.each([
    ['h2c', 'h2c', true],
    ['h2c', 'h2', true],
    ['h2c', 'h3c', true],
    ['h2c', 'h', false],
    ['h2c', 'wss', false],
  ])('%s and %s, one letter: %s', (a, b, expected) => expect(differsByAtMost(1, a, b)).toBe(expected));
});

describe('isCertainTypo', () => {
  it.each([
    ['frontned', 'frontend'], // two letters changed places
    ['wbe', 'web'],
    ['htpp', 'http'],
    ['fronten', 'frontend'],
    ['chekcout-servce', 'checkout-servce'],
    ['recomendations', 'recommendations'],
    ['recomendatoins', 'recommendations', false], // three letters
    ['checkuot-svc', 'checkout-svc'],
    ['shop_web', 'shop-web'],
    ['Web', 'web'],
    ['api.shpo.example.com', 'api.shop.example.com'],
    ['app.kubernetes.io/nmae', 'app.kubernetes.io/name'],
    ['payments-v2-frontned', 'payments-v2-frontend'],
    // Numbers count on.
    ['api-v3', 'api-v1', false],
    ['v2', 'v1', false],
    ['web-12', 'web-21', false],
    ['8081', '8080', false],
    ['http2', 'http', false],
    ['a-11', 'a1-1', false],
    // Whole parts say something: regions, stages, colours, kinds.
    ['payments-eu', 'payments-us', false],
    ['shop-eu-tls', 'shop-us-tls', false],
    ['x.internal.example.com', 'y.internal.example.com', false],
    ['shop-a', 'shop-b', false],
    ['shop-dev', 'shop-test', false],
    ['shop-dev', 'shop-def', false],
    ['shop-prod', 'shop-stage', false],
    ['web-blue', 'web-green', false],
    ['us-east', 'us-west', false],
    ['api-internal', 'api-external', false],
    ['log-importer', 'log-exporter', false],
    ['shop-test', 'shop-text', false],
    ['shop.example.co', 'shop.example.com', false],
    ['*.example.com', 'a.example.com', false],
    ['web', 'web-server', false],
    ['shop-a-b', 'shop-ab', false],
    ['card', 'cart', false],
    ['https', 'http', false],
    ['order', 'orders', false],
    ['ws2', 'wss', false],
    ['frontned-chekcout', 'frontend-checkout', false], // two words, two slips
    ['web', 'wbe', true],
  ])('%s for %s: %s', (written, meant, expected = true) => expect(isCertainTypo(written, meant, [meant, 'other'])).toBe(expected));

  it.each([
    ['frontned', 'frontend', ['frontend', 'frontends', 'backend'], true], // three letters from frontends
    ['fronten', 'frontend', ['frontend', 'frontent'], false],
    ['cheekout', 'checkout', ['checkout', 'cheekouts'], false],
    ['wbe', 'web', ['web', 'wbee'], false],
    ['wbe', 'web', ['wbe', 'web'], true], // what is written is no other one
  ])('%s for %s among %j: %s', (written, meant, all, expected) => expect(isCertainTypo(written, meant, all)).toBe(expected));

  it('gives no time to what no name can be as long as', () => {
    const long = 'a'.repeat(3_000_000);
    expect(isCertainTypo(`${long}bc`, `${long}cb`, [])).toBe(false);
  });
});

describe('nearestWords', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => `number-${index}`);

  it('finds for each word what it would find alone', () => {
    const nearest = nearestWords();
    expect([nearest('htpp', ['http', 'grpc']), nearest('wbe', ['web'])]).toEqual(['http', 'web']);
  });

  it('compares for all words together no more than for one', () => {
    const nearest = nearestWords();
    const found = many.map((_, index) => nearest(`numbre-${index}`, many));
    expect([found[0], found.at(-1)]).toEqual(['number-0', undefined]);
    // What is the very same costs nothing, and is found to the end.
    expect(nearest('number-7', many)).toBe('number-7');
  });
});
