/** Reads XML 1.0 as strictly as a parser of it must (W3C, "Extensible Markup Language"), as far as reports use it. */

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** All character data directly in it. */
  readonly text: string;
}

/** Production 2: what a document may consist of at all. */
const notChar = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const tag = /<(\/?)([A-Za-z][\w.-]*)((?:\s+[A-Za-z][\w.-]*="[^"<]*")*)\s*(\/?)>/y;

/** Throws where the text is not well-formed. */
export function parseXml(text: string): XmlElement {
  const bad = notChar.exec(text);
  if (bad !== null) throw new Error(`the character ${bad[0].codePointAt(0)?.toString(16)} at ${bad.index}`);
  const root = { name: '', attributes: {}, children: [] as XmlElement[], text: '' };
  const open = [root];
  let at = text.startsWith('<?xml') ? text.indexOf('?>') + 2 : 0;
  while (at < text.length) {
    const parent = open.at(-1) as typeof root;
    if (text[at] === '<') {
      tag.lastIndex = at;
      const found = tag.exec(text);
      if (found === null) throw new Error(`no tag at ${at}: ${text.slice(at, at + 40)}`);
      const [whole, closes, name = '', given = '', alone] = found;
      at += whole.length;
      if (closes === '/') {
        if (open.length === 1 || parent.name !== name) throw new Error(`</${name}> closes <${parent.name}>`);
        open.pop();
      } else {
        const element = { name, attributes: attributesIn(given), children: [], text: '' };
        parent.children.push(element);
        if (alone === '') open.push(element);
      }
    } else {
      const end = text.indexOf('<', at);
      const data = text.slice(at, end === -1 ? text.length : end);
      parent.text += unescaped(data);
      at += data.length;
    }
  }
  const [only, ...others] = root.children;
  if (open.length > 1 || only === undefined || others.length > 0 || root.text.trim() !== '') throw new Error('not one whole element');
  return only;
}

function attributesIn(given: string): Readonly<Record<string, string>> {
  const pairs = [...given.matchAll(/([\w.-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, unescaped(value)] as const);
  if (new Set(pairs.map(([name]) => name)).size < pairs.length) throw new Error(`an attribute stands twice: ${given}`);
  return Object.fromEntries(pairs);
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(data: string): string {
  if (data.includes(']]>')) throw new Error(']]> in character data');
  return data.replaceAll(/&([^;]*);?/g, (whole, name: string) => {
    const number = /^#(\d+)$/.exec(name)?.[1];
    const character = number === undefined ? entities[name] : String.fromCodePoint(Number(number));
    if (character === undefined || !whole.endsWith(';')) throw new Error(`an unknown entity: ${whole}`);
    return character;
  });
}

/** All elements of a name, at any depth. */
export const elementsOf = (element: XmlElement, name: string): readonly XmlElement[] => [
  ...(element.name === name ? [element] : []),
  ...element.children.flatMap((child) => elementsOf(child, name)),
];
