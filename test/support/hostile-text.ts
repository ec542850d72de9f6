/** Text that wants to be more than text: to a terminal, a log, a browser, a build server, a reader's eye. */

const codePoints = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index));
const charCodes = (...codes: readonly number[]): readonly string[] => codes.map((code) => String.fromCharCode(code));

const characters = [
  ...codePoints(0x00, 0x1f),
  ...codePoints(0x7f, 0xa0),
  ...codePoints(0x200b, 0x200f),
  ...codePoints(0x2028, 0x202e),
  ...codePoints(0x2060, 0x206f),
  ...codePoints(0xe0020, 0xe007f),
  ...codePoints(0xfe00, 0xfe0f),
  ...codePoints(0xfff0, 0xffff),
  ...charCodes(0xad, 0x34f, 0x61c, 0x115f, 0x1680, 0x180e, 0x2000, 0x3000, 0x3164, 0xe000, 0xf8ff, 0xfdd0, 0xfeff),
  ...charCodes(0xd800, 0xdbff, 0xdc00, 0xdfff),
  ...['\u{e0001}', '\u{f0000}', '\u{10ffff}', '\u{1f600}', '\u{1d173}', '\u{378}'],
];

const sequences = [
  // terminals
  ...['\u001b[31m', '\u001b[2J\u001b[H', '\u001b]0;title\u0007', '\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\'],
  ...['\u001bP$q"p\u001b\\', '\u001b[6n', '\u009b31m', '\u009d0;title\u009c', '\u001bc', '\b\b\b\bok', '\r100 % fine', '\u000e\u000f'],
  // logs
  ...[
    '\n{"level":"info","decision":"allow"}',
    '"}\n{"level":"info","user":"root"}\n{"x":"',
    '\r\n2026-01-01 INFO allowed',
    '\\n\\r',
    '\\u000a',
  ],
  ...[
    '%0a%0d',
    '%s%s%s%n',
    '%d %x %p',
    `{0} {{.Name}} ${'$'}{jndi:ldap://x}`,
    '$(reboot)',
    '`reboot`',
    '; rm -rf /',
    '| tee /etc/passwd',
    "' OR 1=1 --",
  ],
  // build servers
  ...[
    '::error::stop',
    '::error file=a.yaml,line=1::stop',
    '::add-mask::a',
    '::set-output name=x::y',
    '::stop-commands::t',
    '\n::error::stop',
  ],
  ...[
    '##[error]stop',
    '##[add-mask]a',
    '\n##[group]x',
    '##vso[task.setvariable variable=x]y',
    "##teamcity[buildStatus text='x']",
    '\ufe0f::error::x',
  ],
  ...[' ::error::x', '\u3000::error::x', '\t##[error]x', ':\ufe0f:error::x', '#\u034f#[error]x', 'section_start:1:x\r\u001b[0K'],
  // browsers, documents
  ...[
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '"><svg/onload=1>',
    '&lt;b&gt;',
    '<!--',
    ']]>',
    '<a href="javascript:1">',
    '</style>',
  ],
  ...[
    '**bold** _i_ `code`',
    '[x](javascript:1)',
    '![x](http://evil.example/x.png)',
    '| a | b |',
    '# h',
    '> q',
    '- [ ] t',
    '```\nx',
    '@everyone',
    '=cmd|x!A1',
  ],
  // eyes
  ...['pay\u202eexe.tab', 'аdmin', 'ａｄｍｉｎ', 'e\u0301'.repeat(30), 'Z\u0351\u0306\u0343\u0354'.repeat(10), '\u202d\u2066\u2067\u2069'],
  ...['👩‍👩‍👧‍👦', '🇨🇭', '😀'.repeat(50), '\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}', '世界', 'שלום', 'مرحبا', '\ud83d', '\ude00\ud83d'],
  // programs
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '[object Object]',
    'undefined',
    'null',
    'NaN',
    '-1',
    '1e999',
    '0x10',
    '../../etc/passwd',
  ],
  ...['\\', '\\\\', '"', "'", '`', '{', '}', '[', ']', ',', ';', ':', '=', '*', '?', '.', '/', '~', '$&', "$'", '$1', '(a+)+$', ''],
];

const placed: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `a${text}`,
  (text) => `${text}a`,
  (text) => `a${text}b`,
  (text) => `a ${text} b`,
  (text) => `${text}${text}`,
  (text) => `a\n${text}`,
  (text) => `a\r\n${text}\r\nb`,
  (text) => `\u2028${text}`,
  (text) => ` \t${text}`,
  (text) => `"${text}"`,
  (text) => `${text}: ${text} [${text}]`,
  (text) => `moving until ${text}`,
  (text) => `${'a'.repeat(239)}${text}`,
  (text) => text.repeat(50),
];

/** 64 kB of one kind each. */
const long = ['x', 'x ', '\n', '\u001b[31m', '😀', '\u202e', '::', '##[', '\ud800', '<b>', '%s', ','].map((text) =>
  text.repeat(Math.ceil(65_536 / text.length)),
);

/** More than 5,000 different strings; the same each time. */
export const hostileTexts: readonly string[] = [
  ...new Set([...[...characters, ...sequences].flatMap((text) => placed.map((place) => place(text))), ...long]),
];

/** What a terminal may be shown: one line, everything in it visible, and in its order. */
export const printable = /^[^\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]*$/u;

/** A line that some build server would obey. */
export const buildCommand = /^\s*::|##\[|##vso\[|##teamcity\[/iu;
