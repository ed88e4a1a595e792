/** Calls to management surfaces. */

export type Manage = (method: string, path: string, body?: unknown, key?: string) => Promise<Response>;

/** Calls under `/v1` with a management key, or with the key that a call names; text goes out as it is, anything else as JSON. */
export function createManager(url: string, managementKey: string): Manage {
  return (method, path, body, key = managementKey) =>
    fetch(`${url}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
}
