import { expect, it } from 'vitest';
import { markdownText } from '../../src/commands/markdown.ts';

it('renders what our pages use', () => {
  const page = `# a-rule

<!-- generated -->
Checks **all** of \`spec.ports\`; see [the API](https://kubernetes.io/x) and [another](b.md).


## Examples

\`\`\`yaml
# a comment, no heading
a: "**b**"

c: [d](e)
\`\`\`

| message | mode |
| --- | :-: |
| \`noPod\` | deny |
| [other](b.md) | **warn** |

|  |  |
| --- | --- |
| since | 0.1.0 |

- a list
`;
  expect(markdownText(page, (style, text) => `<${style} ${text}>`)).toBe(`<bold a-rule>

Checks <bold all> of <cyan spec.ports>; see the API (https://kubernetes.io/x) and another.

<bold Examples>

    <cyan # a comment, no heading>
    <cyan a: "**b**">

    <cyan c: [d](e)>

  message  mode
  <cyan noPod>    deny
  other    <bold warn>

  since  0.1.0

- a list
`);
});
