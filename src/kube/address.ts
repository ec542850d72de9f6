/** Where the API has an object, or all of a kind. */

/** `/api/v1/services`, `/apis/apps/v1/namespaces/shop/deployments/web`; nothing of a name can lead out of its place. */
export function addressOf(apiVersion: string, resource: string, namespace = '', name = ''): string {
  const within = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${apiVersion.includes('/') ? '/apis' : '/api'}/${apiVersion}${within}/${resource}${name && `/${encodeURIComponent(name)}`}`;
}
