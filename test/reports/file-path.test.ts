import { expect, it } from 'vitest';
import { encodedPath, relativePath } from '../../src/reports/file-path.ts';

it.each([
  ['a.yaml', '/work', 'a.yaml'],
  ['./deploy//a.yaml', '/work', 'deploy/a.yaml'],
  ['deploy/../a.yaml', '/work', 'a.yaml'],
  ['/work/a.yaml', '/work', 'a.yaml'],
  ['/work/../etc/a.yaml', '/work', '../etc/a.yaml'],
  ['/workshop/a.yaml', '/work', '/workshop/a.yaml'],
  ['/elsewhere/./a.yaml', '/work', '/elsewhere/a.yaml'],
  ['/../a.yaml', '/work', '/../a.yaml'],
  ['../../a.yaml', '/work', '../../a.yaml'],
  ['a\\b.yaml', '/work', 'a\\b.yaml'],
  ['deploy\\a.yaml', 'C:\\work', 'deploy/a.yaml'],
  ['C:\\work\\a.yaml', 'C:\\work', 'a.yaml'],
  ['/work/a.yaml', '/', 'work/a.yaml'],
  ['stdin', undefined, 'stdin'],
])('%s, from %s: %s', (file, root, expected) => expect(relativePath(file, root)).toBe(expected));

it('makes of any name a part of an address', () => {
  expect(encodedPath('a b/ä#?%.yaml')).toBe('a%20b/%C3%A4%23%3F%25.yaml');
  expect(encodedPath('\ud800.yaml')).toBe('%EF%BF%BD.yaml');
});
