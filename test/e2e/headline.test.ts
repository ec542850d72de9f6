/** What a person reads who types `kubectl apply`: the five headline checks in each profile. */
import { beforeAll, expect, it } from 'vitest';
import type { RawObject } from '../../src/kube/resources.ts';
import { describeOnCluster } from '../support/cluster.ts';
import { deployment, egressPolicy, ingress, secret, service, toDns } from '../support/shop.ts';
import { addressOf, configurationOf, useStage } from '../support/stage.ts';

interface Headline {
  readonly rule: string;
  /** The number is another one each time. */
  readonly object: (unique: number) => RawObject;
  /** What stands there beside the shop, so that the object is wrong in nothing else. */
  readonly beside?: readonly RawObject[];
  readonly kind: string;
  readonly path: string;
  /** Words of the defect and of the repair. */
  readonly says: readonly string[];
  /** What `guided` does with it: a later object may repair all but the node port. */
  readonly guided: 'warns' | 'denies';
  readonly repaired: RawObject;
}

const headlines: readonly Headline[] = [
  {
    rule: 'service-selector-matches-no-pods',
    object: () => service({ selector: { app: 'wbe' } }),
    kind: 'Service "web"',
    path: 'spec.selector',
    says: ['app=wbe', 'did you mean app=web (Deployment web)?'],
    guided: 'warns',
    repaired: service(),
  },
  {
    rule: 'service-named-target-port-unresolved',
    object: () => service({ port: { targetPort: 'htpp' } }),
    kind: 'Service "web"',
    path: 'spec.ports[0].targetPort',
    says: ['no selected Pod has a TCP port "htpp"', 'http (8080/TCP)', 'did you mean http (or the number 8080)?'],
    guided: 'warns',
    repaired: service({ port: { targetPort: 'http' } }),
  },
  {
    rule: 'service-node-port-policy',
    object: (unique) => service({ spec: { type: 'NodePort' }, port: { nodePort: 30_000 + unique } }),
    kind: 'Service "web"',
    path: 'spec.ports[0].nodePort',
    says: ['is not among the ports of namespace headline-', '30100-30199', 'use 30100'],
    guided: 'denies',
    repaired: service({
      spec: { type: 'NodePort' },
      port: { nodePort: 30100 },
    }),
  },
  {
    rule: 'tls-secret-missing',
    object: (unique) => ingress('shop-tsl', { host: `${unique}.headline.example.com` }),
    beside: [service()],
    kind: 'Ingress "web"',
    path: 'spec.tls[0].secretName',
    says: ['shop-tsl'],
    guided: 'warns',
    repaired: ingress('shop-tls', { host: 'headline.example.com' }),
  },
  {
    rule: 'network-policy-isolates-dns',
    object: () => egressPolicy(),
    kind: 'NetworkPolicy "web-egress"',
    path: 'spec.egress',
    says: ['kube-system/kube-dns', '53/UDP'],
    guided: 'warns',
    repaired: egressPolicy([toDns]),
  },
];

const rules = {
  'service-node-port-policy': {
    options: { ranges: [{ namespaces: ['*'], ports: ['30100-30199'] }] },
  },
};

const literal = (path: string): string => path.replaceAll(/[.[\]]/g, '\\$&');

describeOnCluster('kubectl apply', () => {
  const stage = useStage({
    purpose: 'headline',
    configuration: configurationOf({ rules }),
  });

  beforeAll(() => stage.dns());

  /** Each node port exists once in the cluster, and the API server looks after that before it asks us. Hosts we look after. */
  let last = 0;
  const brokenBy = ({ object }: Headline): RawObject => object(++last);

  async function shop(profile: 'observe' | 'guided' | 'strict', { beside = [] }: Partial<Headline> = {}): Promise<string> {
    const namespace = await stage.namespace(profile);
    await stage.given(namespace, [deployment, secret('shop-tls'), ...beside]);
    return namespace;
  }

  it.each(headlines)('is denied by $rule where the profile is strict', async (headline) => {
    const { rule, kind, path, says } = headline;
    const { code, stdout, stderr } = await stage.apply(await shop('strict', headline), brokenBy(headline));
    expect(code, stderr).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.trimEnd().split('\n'), 'one line for one defect').toHaveLength(1);
    expect(stderr).toMatch(new RegExp(`^The ${kind} is invalid: ${literal(path)}: .* \\[${rule}\\] portcullis\n$`));
    for (const words of says) expect(stderr).toContain(words);
  });

  it.each(headlines)('answers $rule where the profile is guided: $guided', async (headline) => {
    const { rule, path, guided, says } = headline;
    const { code, stdout, stderr } = await stage.apply(await shop('guided', headline), brokenBy(headline));
    if (guided === 'denies') {
      expect(code).toBe(1);
      expect(stderr).toContain(`[${rule}] portcullis`);
      return;
    }
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/ created\n$/);
    // A fix that needs the room has a line of its own.
    for (const line of stderr.trimEnd().split('\n')) expect(line).toMatch(new RegExp(`^Warning: ${literal(path)}: .* \\[${rule}\\]$`));
    expect(stderr).toContain(says[0]);
  });

  it.each(headlines)('says nothing where $rule finds nothing', async (headline) => {
    const { code, stdout, stderr } = await stage.apply(await shop('strict', headline), headline.repaired);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/ created\n$/);
  });

  it.each(headlines)('says nothing of $rule where the profile is observe, and writes it down', async (headline) => {
    const { rule } = headline;
    const object = brokenBy(headline);
    const namespace = await shop('observe', headline);
    const { code, stderr } = await stage.apply(namespace, object);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { name } = object['metadata'] as RawObject;
    // The last one: what stands beside it may have its name.
    const entry = stage.cluster
      .audit(namespace)
      .filter(({ objectRef }) => objectRef.name === name)
      .at(-1);
    expect(entry?.annotations).toMatchObject({
      'validate.portcullis.dev/decision': 'allow',
      'validate.portcullis.dev/rules': `audit:${rule}`,
    });
  });

  it.each(headlines)('softens $rule in a server-side dry-run, unless no other object can repair it', async (headline) => {
    const { rule, guided } = headline;
    const { code, stderr } = await stage.apply(await shop('strict', headline), brokenBy(headline), ['--dry-run=server']);
    if (guided === 'denies') {
      expect(code).toBe(1);
      expect(stderr).toContain(`[${rule}] portcullis`);
    } else {
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(new RegExp(`^Warning: would be denied: .* \\[${rule}\\]\n`));
    }
  });

  it('says nothing of a nodePort that the API server chose, not even when it is written down later', async () => {
    const namespace = await shop('strict');
    const first = await stage.apply(namespace, service({ spec: { type: 'NodePort' } }));
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
    const { body } = await stage.cluster.request('GET', addressOf('Service', namespace, 'web'));
    const { nodePort } = body.spec.ports[0];
    const second = await stage.apply(namespace, service({ spec: { type: 'NodePort' }, port: { nodePort } }));
    expect({ code: second.code, stderr: second.stderr }).toEqual({ code: 0, stderr: '' });
    expect(second.stdout).toMatch(/ configured\n$/);
  });

  it('lists every defect of an object, each with its field', async () => {
    const broken = service({
      spec: { type: 'NodePort' },
      port: { targetPort: 'htpp', nodePort: 30_000 + ++last },
    });
    const { code, stderr } = await stage.apply(await shop('strict'), broken);
    expect(code).toBe(1);
    expect(stderr.match(/^\* spec\.ports\[0\]\.(targetPort|nodePort): /gm)?.sort()).toEqual([
      '* spec.ports[0].nodePort: ',
      '* spec.ports[0].targetPort: ',
    ]);
  });
});
