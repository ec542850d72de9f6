/** What is known of controllers stands in several files, which speak of the same ones by their titles. */
import { describe, expect, it } from 'vitest';
import { annotationFamilies, otherPrefixes } from '../../src/cluster/annotation-families.ts';
import { controllerLives } from '../../src/cluster/controller-life.ts';
import { ingressControllers } from '../../src/cluster/ingress-controllers.ts';
import { loadBalancerClasses } from '../../src/cluster/load-balancer-classes.ts';

const titles = new Set(ingressControllers.map(({ title }) => title));

describe('What is known of controllers', () => {
  it('is of controllers that are known', () => {
    const named = [...annotationFamilies, ...controllerLives].map(({ title }) => title);
    expect([...named, ...otherPrefixes.map(([title]) => title)].filter((title) => !titles.has(title))).toEqual([]);
  });

  it('has sources', () => {
    const sources = [...annotationFamilies, ...controllerLives, ...loadBalancerClasses].map(({ source }) => source);
    expect(sources.filter((source) => !source.startsWith('https://'))).toEqual([]);
  });
});

describe.each(annotationFamilies.map((family) => [family.title, family] as const))(
  'Annotations of %s',
  (_, { keys, prefixes, ignoresCase }) => {
    it('are keys below a prefix, each once', () => {
      expect(prefixes.filter((prefix) => !/^[a-z.-]+\/$/.test(prefix))).toEqual([]);
      expect(keys.filter((key) => !/^[a-z0-9.-]+(\.\*)?$/.test(key))).toEqual([]);
      expect(new Set(keys).size).toBe(keys.length);
    });

    it('are in lower case where case does not count', () => {
      expect(ignoresCase === true ? keys.filter((key) => key !== key.toLowerCase()) : []).toEqual([]);
    });
  },
);
