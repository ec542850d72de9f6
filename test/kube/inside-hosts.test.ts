import { describe, expect, it } from 'vitest';
import { hostNameOf, leadsInside } from '../../src/kube/inside-hosts.ts';

describe('leadsInside', () => {
  it.each([
    ['localhost', 'whoever asks for it'],
    ['a.b.localhost', 'whoever asks for it'],
    ['0.0.0.0', 'whoever asks for it'],
    ['::1', 'whoever asks for it'],
    ['169.254.169.254', "the metadata service of the node's cloud"],
    ['fd00:ec2::254', "the metadata service of the node's cloud"],
    ['metadata.google.internal', 'the metadata server of Google Cloud'],
    ['100.100.100.200', 'the metadata service of Alibaba Cloud'],
  ])('%s: %s', (host, what) => expect(leadsInside(host)).toBe(what));

  it.each(['', 'example.com', 'mylocalhost', 'localhost.example.com', '169.254.169.253', '128.0.0.1', '::2', 'google.internal'])(
    '%s leads elsewhere',
    (host) => expect(leadsInside(host)).toBeUndefined(),
  );
});

describe('hostNameOf', () => {
  it('takes off the dot that ends a name, and capitals', () => expect(hostNameOf('DB.Example.com.')).toBe('db.example.com'));
});
