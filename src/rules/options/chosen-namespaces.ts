/** How an option that differs by namespace says for which ones an entry holds: `choosesNamespace` reads it. */
import { z } from 'zod';

export const chosenNamespaces = {
  namespaces: z.array(z.string()).optional().describe('Names of namespaces, with `*` for any characters'),
  namespaceSelector: z
    .strictObject({ matchLabels: z.record(z.string(), z.string()).describe('All of these') })
    .optional()
    .describe('Labels of namespaces; together with `namespaces` both must match'),
};

interface Chosen {
  readonly namespaces?: unknown;
  readonly namespaceSelector?: unknown;
}

/** For `refine`: an entry that chooses nothing would hold nowhere, which nobody means. */
export const choosesSome: readonly [(entry: Chosen) => boolean, string] = [
  ({ namespaces, namespaceSelector }) => namespaces !== undefined || namespaceSelector !== undefined,
  'chooses no namespaces: add namespaces or namespaceSelector',
];
