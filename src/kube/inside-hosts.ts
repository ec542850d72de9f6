/**
 * Names and addresses that mean another machine to everybody who asks: the one that asks, or the service of a cloud that
 * gives it credentials. Looked up on 2026-11-21 at the places named.
 */
import { blockHolds, isAddress } from './cidr.ts';

interface Inside {
  /** What is there, as the end of a sentence: `leads to …`. */
  readonly what: string;
  /** The name, all names below it, and addresses in these blocks. */
  readonly names: readonly string[];
  readonly blocks: readonly string[];
}

/** AWS, Azure, Google Cloud and OpenStack alike, over HTTP. */
export const metadataAddress = '169.254.169.254';

const inside: readonly Inside[] = [
  {
    // RFC 6761 6.3, RFC 1122 3.2.1.3; localhost.localdomain and the ip6- names are those of /etc/hosts in Debian and Red Hat.
    what: 'whoever asks for it',
    names: ['localhost', 'localhost.localdomain', 'ip6-localhost', 'ip6-loopback'],
    blocks: ['127.0.0.0/8', '0.0.0.0/8', '::1/128'],
  },
  {
    // docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html; 169.254.169.254 is Azure's, Google's,
    // OpenStack's, Oracle's and DigitalOcean's too.
    what: "the metadata service of the node's cloud",
    names: ['instance-data.ec2.internal'],
    blocks: [`${metadataAddress}/32`, 'fd00:ec2::254/128'],
  },
  {
    // docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html; .../eks/latest/userguide/pod-id-how-it-works.html
    what: 'the credentials of AWS',
    names: [],
    blocks: ['169.254.170.2/32', '169.254.170.23/32', 'fd00:ec2::23/128'],
  },
  {
    // docs.cloud.google.com/compute/docs/metadata/querying-metadata
    what: 'the metadata server of Google Cloud',
    names: ['metadata.google.internal', 'metadata.goog'],
    blocks: [],
  },
  {
    // alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
    what: 'the metadata service of Alibaba Cloud',
    names: [],
    blocks: ['100.100.100.200/32'],
  },
  {
    // cloud.tencent.com/document/product/213/4934
    what: 'the metadata service of Tencent Cloud',
    names: ['metadata.tencentyun.com'],
    blocks: ['169.254.0.23/32'],
  },
];

/** Without the dot that ends a name in DNS, which externalName may have (validateServiceExternalName strips it), and in lower case. */
export const hostNameOf = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** What is at such a name or address; undefined for all others. */
export function leadsInside(host: string): string | undefined {
  const found = isAddress(host)
    ? inside.find(({ blocks }) => blocks.some((block) => blockHolds(block, host) === true))
    : inside.find(({ names }) => names.some((name) => host === name || host.endsWith(`.${name}`)));
  return found?.what;
}
