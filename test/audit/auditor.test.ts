import { afterEach, describe, expect, it } from 'vitest';
import { AuditedWorld, configurationOf } from '../support/audited-world.ts';

const service = {
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
};
const pods = (app: string, name = 'web') => ({
  kind: 'Deployment',
  metadata: { name, namespace: 'shop' },
  spec: { template: { metadata: { labels: { app } }, spec: { containers: [{ ports: [{ containerPort: 80 }] }] } } },
});
const ingress = {
  kind: 'Ingress',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    tls: [{ hosts: ['shop.example'], secretName: 'web-tls' }],
    // No Service, of which other rules would speak.
    defaultBackend: { resource: { apiGroup: 'storage.example.com', kind: 'Bucket', name: 'web' } },
  },
};
const broken = 'Service shop/web: service-selector-matches-no-pods warn';
const clean = 'Service shop/web: clean';

let world = new AuditedWorld();
const begun = async (change: (fresh: AuditedWorld) => void = () => {}): Promise<AuditedWorld> => {
  world = new AuditedWorld();
  change(world);
  world.start();
  await world.clock.advance(100);
  return world;
};
afterEach(() => world.close());

describe('what a later object can repair', () => {
  it('is told once, when the grace after its creation is over', async () => {
    await begun((fresh) => fresh.apply(service));
    await world.clock.advance(59_000);
    expect(world.told).toEqual([]);
    await world.clock.advance(2_000);
    expect(world.told).toEqual([broken]);
    await world.clock.advance(3_600_000);
    expect(world.told).toEqual([broken]);
  });

  it('is never told if it is repaired before', async () => {
    await begun((fresh) => fresh.apply(service));
    await world.clock.advance(30_000);
    world.apply(pods('web'));
    await world.clock.advance(3_600_000);
    expect(world.told).toEqual([]);
  });

  it('is over within two seconds of the repair, and told once', async () => {
    await begun((fresh) => fresh.apply(service));
    await world.clock.advance(70_000);
    world.apply(pods('web'));
    await world.clock.advance(2_000);
    expect(world.told).toEqual([broken, clean]);
  });

  it('counts from when it was seen where the object is as it was', async () => {
    await begun((fresh) => fresh.apply(service, pods('web')));
    await world.clock.advance(3_600_000);
    world.remove(pods('web'));
    await world.clock.advance(58_000);
    expect(world.told).toEqual([]);
    await world.clock.advance(4_000);
    expect(world.told).toEqual([broken]);
  });

  it('counts from the creation under a new leader too: nothing is kept', async () => {
    await begun((fresh) => fresh.apply(service));
    await world.clock.advance(40_000);
    world.changeLeader();
    await world.clock.advance(19_000);
    expect(world.told).toEqual([]);
    await world.clock.advance(2_000);
    expect(world.told).toEqual([broken]);
  });

  it('is told at once if it is old when the leader begins', async () => {
    await begun((fresh) => {
      fresh.apply(service);
    });
    await world.clock.advance(600_000);
    world.changeLeader();
    world.told.length = 0;
    await world.clock.advance(2_000);
    expect(world.told).toEqual([broken]);
  });

  it('stays told while its object changes elsewhere', async () => {
    await begun((fresh) => fresh.apply(service));
    await world.clock.advance(70_000);
    world.apply({ ...service, metadata: { ...service.metadata, labels: { team: 'a' } } });
    await world.clock.advance(70_000);
    expect(world.told).toEqual([broken]);
  });

  it('gets a new grace when the field itself is changed', async () => {
    await begun((fresh) => fresh.apply(service));
    await world.clock.advance(70_000);
    world.apply({ ...service, spec: { ...service.spec, selector: { app: 'wbe' } } });
    await world.clock.advance(2_000);
    expect(world.told).toEqual([broken, clean]);
    await world.clock.advance(60_000);
    expect(world.told).toEqual([broken, clean, broken]);
  });
});

describe('what no later object repairs', () => {
  const ranged = {
    rules: { 'service-node-port-policy': { options: { ranges: [{ namespaces: ['shop'], ports: ['30100-30199'] }] } } },
  };
  const nodePort = { ...service, spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 31000 }] } };

  it('is told at once', async () => {
    await begun((fresh) => {
      fresh.configuration = configurationOf(ranged);
      fresh.apply(nodePort);
    });
    expect(world.told).toEqual(['Service shop/web: service-node-port-policy deny']);
    expect(world.open).toEqual([['service-node-port-policy', 'medium', 1, 'shop']]);
  });

  it('is judged again when the configuration changes', async () => {
    await begun((fresh) => {
      fresh.configuration = configurationOf({ rules: { 'service-node-port-policy': { mode: 'off' } } });
      fresh.apply(nodePort);
    });
    expect(world.told).toEqual([]);
    world.configuration = configurationOf(ranged);
    await world.clock.advance(2_000);
    expect(world.told).toEqual(['Service shop/web: service-node-port-policy deny']);
  });
});

describe('an object that goes', () => {
  it('takes its findings along', async () => {
    await begun((fresh) => fresh.apply(service));
    await world.clock.advance(70_000);
    world.remove(service);
    await world.clock.advance(2_000);
    expect(world.told).toEqual([broken, clean]);
    expect(world.open).toEqual([]);
  });

  it('is another one if it comes again under its name', async () => {
    await begun((fresh) => fresh.apply(service));
    await world.clock.advance(70_000);
    world.remove(service);
    world.apply(service);
    await world.clock.advance(2_000);
    expect(world.told).toEqual([broken, clean]);
    await world.clock.advance(60_000);
    expect(world.told).toEqual([broken, clean, broken]);
    expect([...world.verdicts.values()].filter(({ findings }) => findings.length > 0)).toHaveLength(1);
  });
});

describe('what is not known', () => {
  it('begins nothing: an unsynced view is not judged', async () => {
    await begun((fresh) => {
      fresh.synced = false;
      fresh.apply(service);
    });
    await world.clock.advance(120_000);
    expect(world.passes).toEqual([]);
    world.synced = true;
    await world.clock.advance(2_000);
    expect(world.told).toEqual([broken]);
  });

  it('repairs nothing: a finding stands while its rule cannot be judged anew', async () => {
    await begun((fresh) => fresh.apply(service));
    await world.clock.advance(70_000);
    world.coverage = (collection) => (collection === 'Pod' ? 'unsynced' : 'complete');
    world.apply({ ...service, metadata: { ...service.metadata, labels: { team: 'a' } } });
    await world.clock.advance(700_000);
    expect(world.told).toEqual([broken]);
  });

  it('says nothing new while the watch has been broken for long, and catches up', async () => {
    await begun((fresh) => fresh.apply(service, pods('web')));
    world.staleMs = 11_000;
    world.remove(pods('web'));
    await world.clock.advance(120_000);
    expect(world.told).toEqual([]);
    world.staleMs = 0;
    await world.clock.advance(80_000);
    expect(world.told).toEqual([broken]);
  });

  it('is told by nobody who does not lead', async () => {
    await begun((fresh) => {
      fresh.leads = false;
      fresh.apply(service);
    });
    await world.clock.advance(120_000);
    expect([world.told, world.passes]).toEqual([[], []]);
  });
});

describe('a new leader', () => {
  it('calls nothing out of date before it has judged everything', async () => {
    await begun((fresh) => fresh.apply(service, pods('web')));
    world.staleMs = 11_000;
    world.changeLeader();
    await world.clock.advance(120_000);
    expect(world.passes).toEqual([1]);
    world.staleMs = 0;
    await world.clock.advance(40_000);
    expect(world.passes).toEqual([1, 1]);
  });

  it('names what is not due, since an earlier one may have told of it', async () => {
    await begun((fresh) => fresh.apply(service));
    await world.clock.advance(70_000);
    world.apply({ ...service, metadata: { ...service.metadata, labels: { team: 'a' } } });
    world.changeLeader();
    await world.clock.advance(2_000);
    const [verdict] = [...world.verdicts.values()];
    expect([verdict?.findings.length, verdict?.pending.map(({ finding }) => finding.ruleId)]).toEqual([
      0,
      ['service-selector-matches-no-pods'],
    ]);
  });

  it('asks again for what is not answered before it says a first word', async () => {
    await begun((fresh) => {
      fresh.secrets.set('Secret shop/web-tls', 'unanswered');
      fresh.apply(ingress);
    });
    expect([world.passes, world.verdicts.size]).toEqual([[], 0]);
    world.secrets.delete('Secret shop/web-tls');
    await world.clock.advance(72_000);
    expect(world.told).toEqual(['Ingress shop/web: tls-secret-missing warn']);
    expect(world.passes).toEqual([1]);
  });

  it('goes on without an answer that never comes', async () => {
    await begun((fresh) => {
      fresh.secrets.set('Secret shop/web-tls', 'unanswered');
      fresh.apply(ingress);
    });
    await world.clock.advance(90_000);
    expect(world.passes).toEqual([1]);
  });
});

describe('a Secret, of which no watch tells', () => {
  it('is asked for again while it is missed', async () => {
    await begun((fresh) => fresh.apply(ingress));
    await world.clock.advance(62_000);
    expect(world.told).toEqual(['Ingress shop/web: tls-secret-missing warn']);
    world.secrets.set('Secret shop/web-tls', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'shop', name: 'web-tls', labels: {}, annotations: {} },
    });
    await world.clock.advance(31_000);
    expect(world.told).toEqual(['Ingress shop/web: tls-secret-missing warn', 'Ingress shop/web: clean']);
  });

  it('is left alone between passes once it is there', async () => {
    await begun((fresh) => {
      fresh.secrets.set('Secret shop/web-tls', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace: 'shop', name: 'web-tls', labels: {}, annotations: {} },
      });
      fresh.apply(ingress);
    });
    await world.clock.advance(590_000);
    expect(world.reads).toBe(1);
    await world.clock.advance(20_000);
    expect(world.reads).toBe(2);
  });
});

describe('a pass over everything', () => {
  it('comes at the interval, and tells what exists', async () => {
    await begun((fresh) => fresh.apply(service, ingress));
    expect(world.passes).toEqual([2]);
    await world.clock.advance(601_000);
    expect(world.passes).toEqual([2, 2]);
  });

  it('says how much has changed since the last, of what is told and what waits', async () => {
    await begun((fresh) => fresh.apply(service, ingress));
    await world.clock.advance(599_000);
    world.full.push('half an hour');
    await world.clock.advance(1_800_000);
    world.remove(service);
    world.full.push('it is gone');
    await world.clock.advance(600_000);
    world.changeLeader();
    await world.clock.advance(2_000);
    expect(world.full).toEqual([
      'first, 2 objects, 2 changes',
      'half an hour',
      '2 objects, 2 changes',
      '2 objects, 0 changes',
      '2 objects, 0 changes',
      'it is gone',
      '1 objects, 1 changes',
      'first, 1 objects, 1 changes',
    ]);
  });

  it('tells of exemptions with their reason', async () => {
    await begun((fresh) => {
      fresh.configuration = configurationOf({
        exemptions: { list: [{ rules: ['service-selector-matches-no-pods'], namespaces: ['shop'], reason: 'moved by hand' }] },
      });
      fresh.apply(service);
    });
    expect(world.told).toEqual(['Service shop/web: service-selector-matches-no-pods exempt: moved by hand (configuration)']);
  });

  it('tells of exemptions of the configuration that exempt nothing', async () => {
    const entry = (namespace: string) => ({ rules: ['service-selector-matches-no-pods'], namespaces: [namespace], reason: 'by hand' });
    await begun((fresh) => {
      fresh.configuration = configurationOf({ exemptions: { list: [entry('shop'), entry('gone')] } });
      fresh.apply(service);
    });
    expect(world.entries).toEqual(['exemptions.list[1] unused']);
  });
});
