/**
 * What the chart has to know of the code to grant exactly the rights that the enabled rules need: which collections each
 * rule reads, and where the API has them. Becomes charts/portcullis/files/rule-reads.yaml.
 */
import { dump } from 'js-yaml';
import { apiVersion, configurationSchema } from '../../src/config/schema.ts';
import { groupOf } from '../../src/kube/normalize.ts';
import { rules } from '../../src/rules/index.ts';
import { readAlways, watchedKinds } from '../../src/sources/watched.ts';

export function ruleReadsYaml(): string {
  const facts = { always: readAlways, rules: readsByRule(), resources: resourcesByCollection(), defaults: configurationDefaults() };
  return `${heading}\n${dump(facts, { flowLevel: 2, sortKeys: false, lineWidth: -1 })}`;
}

const heading = `# Generated from the rules (npm run docs): what each of them reads, and where the API has it.
# Secrets are in no list: templates/rbac.yaml grants their reading by name.`;

const readsByRule = () =>
  Object.fromEntries(rules.filter(({ meta }) => meta.offlineOnly !== true).map(({ meta }) => [meta.id, [...meta.reads].sort()]));

/** Collection → API group → resources. */
function resourcesByCollection() {
  const byCollection = Map.groupBy(watchedKinds([]), ({ collection }) => collection);
  return Object.fromEntries(
    [...byCollection].map(([collection, kinds]) => {
      const byGroup = Map.groupBy(kinds, ({ apiVersion: version }) => groupOf(version));
      return [collection, Object.fromEntries([...byGroup].map(([group, some]) => [group, some.map(({ resource }) => resource).sort()]))];
    }),
  );
}

/** What holds where `config` says nothing, as far as templates ask for it. */
function configurationDefaults() {
  const { protectedNamespaces, exemptions, privacy, secrets } = configurationSchema([]).parse({ apiVersion });
  return { protectedNamespaces, byAnnotation: exemptions.byAnnotation, privacy, secretsLevel: secrets.level };
}
