import { expect, it } from 'vitest';
import { hostsOf } from '../../src/kube/hosts.ts';
import { isNotConnected } from '../../src/kube/not-connected.ts';

it.each([
  'NO_PROXY',
  'no_proxy',
  'NOPROXY',
  'ALLOWED_HOSTS',
  'CORS_ORIGIN',
  'corsAllowedOrigins',
  'CSRF_TRUSTED_ORIGINS',
  'ORIGIN',
  'ISSUER',
  'JWT_AUDIENCE',
  'DB_IMAGE',
  'RELATED_IMAGE_DB',
  'IMAGE_TAG',
  'IMAGE_REPOSITORY',
  'REGISTRY',
  'DOCKER_REGISTRY_URL',
  'KAFKA_ADVERTISED_LISTENERS',
  'initial-advertise-peer-urls',
  'EXTERNAL_URL',
  'web.external-url',
  'PUBLIC_URL',
  'HOSTNAME',
  'KC_HOSTNAME',
  'SERVER_NAME',
  'LISTEN',
  'BIND_ADDRESS',
])('takes %s for no host to connect to', (name) => {
  expect(isNotConnected(name)).toBe(true);
  expect(hostsOf([{ env: [{ name, value: 'db:5432' }] }])).toBeUndefined();
});

it.each([
  'DB_URL',
  'DB_HOSTNAME',
  'DB_SERVER_NAME',
  'HTTP_PROXY',
  'SCHEMA_REGISTRY_URL',
  'IMAGES_API_URL',
  'NEXT_PUBLIC_API_URL',
  'ALLOWANCE_URL',
  'BINDERY_URL',
  'ADVERTISER_URL',
  'REPORTS_URL',
  'JWKS_URI',
  'BLOCKCHAIN_NODE',
  '',
])('takes %s for one', (name) => {
  expect(isNotConnected(name)).toBe(false);
  expect(hostsOf([{ env: [{ name, value: 'db:5432' }] }])).toEqual(['db:5432']);
});

it.each([
  [['--no-proxy=db:5432', '--db=cache:1']],
  [['--no-proxy', 'db:5432', 'cache:1']],
  [['--allowed-origins=db:5432', '-u', 'cache:1']],
  [['--image=db:5432', '--image', 'db:5432', '--image', '--db=cache:1']],
  [['sh', '-c', 'NO_PROXY="a:1, db:5432" serve --verbose --image db:5432 --db cache:1']],
  [['java', '-Dhttp.nonProxyHosts=db:5432', '-Ddb=cache:1']],
])('reads of %j what is connected to', (args) => expect(hostsOf([{ args }])).toEqual(['cache:1']));

it('reads a variable that holds flags', () =>
  expect(hostsOf([{ env: [{ name: 'JAVA_OPTS', value: "-Dhttp.nonProxyHosts='db:5432' -Ddb=cache:1" }] }])).toEqual(['cache:1']));

it('keeps a query of a URL', () => expect(hostsOf([{ args: ['http://web/?x=1&origin=http://db:5432'] }])).toContain('db:5432'));
