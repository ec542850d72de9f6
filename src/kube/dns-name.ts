/** Names that the API server takes, since they may stand in DNS (apimachinery pkg/util/validation). */

const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const labels = new RegExp(`^${label}(?:\\.${label})*$`);
const oneLabel = new RegExp(`^${label}$`);

/** IsDNS1123Label: a Service's name, at the least. */
export const isDnsLabel = (name: string): boolean => name.length <= 63 && oneLabel.test(name);

/** IsDNS1123Subdomain: what most objects may be called, and a host. Its labels may be of any length. */
export const isDnsSubdomain = (name: string): boolean => name.length <= 253 && labels.test(name);

/** IsWildcardDNS1123Subdomain, where there is a star at all. */
export const isDnsHost = (name: string): boolean =>
  isDnsSubdomain(name.includes('*') ? name.replace(/^\*\./, '') : name) && name.length <= 253;

/** What netutils.ParseIPSloppy takes for an IPv4 address, which would be a subdomain too: zeros may lead. */
export const isSloppyIPv4 = (name: string): boolean =>
  /^\d+(?:\.\d+){3}$/.test(name) && name.split('.').every((part) => Number(part) <= 255);
