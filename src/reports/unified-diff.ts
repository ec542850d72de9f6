/** Two texts → what `diff -u` prints. Myers' algorithm: the shortest way from the lines of the one to those of the other. */

const context = 3;

interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** Empty if they are equal. */
export function unifiedDiff(file: string, before: string, after: string): string {
  if (before === after) return '';
  const lines = linesBetween(linesOf(before), linesOf(after));
  // As git writes it, for `patch -p1`; of a whole path nothing is to be taken off.
  const names = file.startsWith('/') ? ['', ''] : ['a/', 'b/'];
  return `--- ${names[0]}${file}\n+++ ${names[1]}${file}\n${hunksOf(lines).join('')}`;
}

/** Each with its line break, so that the last one may lack it. */
const linesOf = (text: string): readonly string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

function linesBetween(a: readonly string[], b: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const same = (some: readonly string[]): readonly Line[] => some.map((text) => ({ mark: ' ', text }));
  const middle = shortest(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [...same(a.slice(0, start)), ...middle, ...same(a.slice(a.length - end))];
}

/** By the number of steps so far, how far one comes on each diagonal. */
function shortest(a: readonly string[], b: readonly string[]): readonly Line[] {
  const trace: Map<number, number>[] = [];
  let reached = new Map([[1, 0]]);
  for (let steps = 0; ; steps++) {
    trace.push(reached);
    const now = new Map(reached);
    for (let diagonal = -steps; diagonal <= steps; diagonal += 2) {
      let x = startOf(reached, diagonal, steps);
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x++;
      now.set(diagonal, x);
      if (x >= a.length && x - diagonal >= b.length) return wayBack(trace, a, b);
    }
    reached = now;
  }
}

const farthest = (reached: ReadonlyMap<number, number>, diagonal: number): number => reached.get(diagonal) ?? -1;

const isDown = (reached: ReadonlyMap<number, number>, diagonal: number, steps: number): boolean =>
  diagonal === -steps || (diagonal !== steps && farthest(reached, diagonal - 1) < farthest(reached, diagonal + 1));

const startOf = (reached: ReadonlyMap<number, number>, diagonal: number, steps: number): number =>
  isDown(reached, diagonal, steps) ? farthest(reached, diagonal + 1) : farthest(reached, diagonal - 1) + 1;

function wayBack(trace: readonly ReadonlyMap<number, number>[], a: readonly string[], b: readonly string[]): readonly Line[] {
  const lines: Line[] = [];
  let [x, y] = [a.length, b.length];
  for (let steps = trace.length - 1; steps > 0; steps--) {
    const reached = trace[steps] as ReadonlyMap<number, number>;
    const diagonal = x - y;
    const down = isDown(reached, diagonal, steps);
    const from = farthest(reached, down ? diagonal + 1 : diagonal - 1);
    const to = down ? from : from + 1;
    for (; x > to; x--, y--) lines.push({ mark: ' ', text: a[x - 1] as string });
    if (down) lines.push({ mark: '+', text: b[--y] as string });
    else lines.push({ mark: '-', text: a[--x] as string });
  }
  for (; x > 0; x--) lines.push({ mark: ' ', text: a[x - 1] as string });
  return lines.toReversed();
}

function hunksOf(lines: readonly Line[]): readonly string[] {
  const changed = lines.flatMap(({ mark }, index) => (mark === ' ' ? [] : [index]));
  const hunks: string[] = [];
  for (let at = 0; at < changed.length; at++) {
    const from = Math.max(0, (changed[at] as number) - context);
    while (at + 1 < changed.length && (changed[at + 1] as number) - (changed[at] as number) <= context * 2) at++;
    hunks.push(hunkOf(lines, from, Math.min(lines.length, (changed[at] as number) + context + 1)));
  }
  return hunks;
}

function hunkOf(lines: readonly Line[], from: number, to: number): string {
  const count = (some: readonly Line[], without: '-' | '+'): number => some.filter(({ mark }) => mark !== without).length;
  const [above, within] = [lines.slice(0, from), lines.slice(from, to)];
  const range = (without: '-' | '+'): string => {
    const length = count(within, without);
    return `${count(above, without) + (length === 0 ? 0 : 1)},${length}`;
  };
  return `@@ -${range('+')} +${range('-')} @@\n${within.map(printed).join('')}`;
}

const printed = ({ mark, text }: Line): string => (text.endsWith('\n') ? mark + text : `${mark}${text}\n\\ No newline at end of file\n`);
