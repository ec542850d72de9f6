import { expect, it } from 'vitest';
import { hostsOf } from '../../src/kube/hosts.ts';
import { scrapePortOf } from '../../src/kube/scraping.ts';

const told = (value: string, name = 'URL') => hostsOf([{ env: [{ name, value }] }]);

it.each([
  ['db:5432', ['db:5432']],
  ['postgres://web:12345@db:5432/shop', ['db:5432']],
  ['http://api.shop.svc.cluster.local:8080/x', ['api.shop:8080']],
  ['http://api.shop.svc/x', ['api.shop']],
  ['redis://user@api.shop.svc', ['api.shop']],
  ['api.shop:80', ['api.shop:80']],
  ['db-0:1,api:80,api:80', ['api:80', 'db-0:1']],
  ['http://api', ['api:80']],
  ['https://api.shop/v1?x=1', ['api.shop:443']],
  ['postgresql+asyncpg://web:pw@db/shop', ['db:5432']],
  ['jdbc:mysql://db/shop', ['db:3306']],
  ['nats://a,nats://b', ['a:4222', 'b:4222']],
  ['--url="http://api" amqp://mq/%2f', ['api:80', 'mq:5672']],
  ['http://www.example.com/?next=http://api', ['api:80']],
])('finds in %s what may be a Service', (value, hosts) => expect(told(value)).toEqual(hosts));

it.each([
  'admin:1234@x',
  '10.0.0.1:80',
  'http://www.example.com/',
  'redis.svc',
  'a.b.c:80',
  'nginx:1.25',
  '[::1]:80',
  'DB:5432',
  ':8080',
  'http://user@',
  'http://api$(SUFFIX)',
  'http://a_b',
  'git+http://api',
  'grpc://api',
  'mongodb+srv://db',
  'mongodb://',
  '',
])('finds nothing in %s', (value) => expect(told(value)).toBeUndefined());

it('reads commands and arguments too', () =>
  expect(hostsOf([{ command: ['serve', '--db=db:1'] }, { args: ['--cache', 'cache:2'] }])).toEqual(['cache:2', 'db:1']));

it.each(['DB_PASSWORD', 'apiToken', 'SECRET_URL', 'AUTH'])('keeps nothing of a variable called %s', (name) =>
  expect(told('db:5432', name)).toBeUndefined(),
);

it('keeps nothing of a user', () => expect(told('redis://us,er:pw@db:6379')).toEqual(['db:6379']));

it('keeps what names a port rather than what a scheme gives one', () => {
  const outside = Array.from({ length: 40 }, (_, at) => `https://site-${at}.example`);
  const hosts = told([...outside, 'db:5432'].join(' '));
  expect(hosts).toHaveLength(32);
  expect(hosts).toContain('db:5432');
});

it('reads no long documents, and keeps no long lists', () => {
  expect(told(`db:5432 ${'x'.repeat(5_000)}`)).toBeUndefined();
  expect(told(Array.from({ length: 100 }, (_, at) => `db-${at}:1`).join(' '))).toHaveLength(32);
});

it.each([
  [{ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9102' }, 9102],
  [{ 'prometheus.io/scrape': 'false', 'prometheus.io/port': '9102' }, undefined],
  [{ 'prometheus.io/scrape': 'true' }, undefined],
  [{ 'prometheus.io/scrape': 'true', 'prometheus.io/port': 'metrics' }, undefined],
  [{ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '0' }, undefined],
  [{ 'prometheus.io/port': '9102' }, undefined],
])('scrapes by %o', (annotations, port) => expect(scrapePortOf(annotations)).toBe(port));
