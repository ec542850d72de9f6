/**
 * Variables and flags that name hosts to which nobody connects because of them: who is allowed to ask, what is not sent through
 * a proxy, an image that the kubelet pulls, the address that others use. Read by their names, as words with dashes between.
 */

/** Each with an example. What is left out here in doubt is a connection that nobody misses in a message; the other way round is a false alarm. */
const namesByReason: Readonly<Record<string, RegExp>> = {
  /** NO_PROXY, `-Dhttp.nonProxyHosts`: a list of all that may ever be asked. */
  leftOutOfProxies: /\bnon?-?proxy\b|\bproxy-(?:bypass|exclude|ignore)/,
  /** CORS_ORIGIN, CSRF_TRUSTED_ORIGINS: whose pages a browser lets in. */
  origins: /\b(?:cors|csp|origins?)\b/,
  /** ALLOWED_HOSTS of Django, `--trusted-proxies`: who may ask, or under which name. */
  letIn: /\b(?:allow|allowed|allow-?list|whitelist|trusted|permitted|denied|blocked|deny-?list|block-?list|blacklist)\b/,
  /** ISSUER, JWT_AUDIENCE: compared with what a token says (RFC 7519, 4.1). Who fetches keys there is told of a jwks URI as well. */
  claims: /\b(?:issuers?|audiences?)\b/,
  /** DB_IMAGE, RELATED_IMAGE_DB of operators, `--config-reloader-image`: pulled by the node. `images-api` is somebody to ask. */
  images:
    /\bimages?$|\bimage-(?:name|tag|ref|uri|url)\b|\brelated-image\b|\brepo(?:sitory|sitories|s)?$|(?<!\bschema-)\bregistr(?:y|ies)\b/,
  /** KAFKA_ADVERTISED_LISTENERS, `--web.external-url`, KC_HOSTNAME of Keycloak: the own address. DB_HOSTNAME is another's. */
  ownAddress:
    /\badvertised?\b|\b(?:external|public|root|site)-(?:url|uri|address|addr|host|hostname)\b|^(?:kc-)?hostname$|^server-name$|\b(?:listen|listeners?|bind)\b/,
};
const patterns = Object.values(namesByReason);

/** Whether what a variable or a flag of this name says is no host to connect to. */
export function isNotConnected(name: string): boolean {
  const words = name
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-')
    .replaceAll(/[_.]+/g, '-')
    .toLowerCase();
  return patterns.some((pattern) => pattern.test(words));
}

/** `--name value`, `-name=value` and `NAME=value`, as in a script or JAVA_OPTS. */
const assignment = /(?<![^\s"';])(?:--?([a-z][-\w.]*)(?:=|\s+(?!-))|([a-z][\w.]*)=)(?:"[^"]*"|'[^']*'|\S+)/gi;

/** The text without what such flags and variables in it say. */
export const withoutNotConnected = (text: string): string =>
  text.replaceAll(assignment, (all: string, flag?: string, variable?: string) => (isNotConnected(flag ?? variable ?? '') ? ' ' : all));

/** Words of a command without the values of such flags that are words of their own. */
export const wordsConnected = (words: readonly string[]): readonly string[] =>
  words.filter((word, at) => word.startsWith('-') || !isLoneFlag(words[at - 1] ?? ''));

const isLoneFlag = (word: string): boolean => /^--?[a-z][-\w.]*$/i.test(word) && isNotConnected(word.replace(/^-+/, ''));
