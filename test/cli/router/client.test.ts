import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createClient } from '#cli/router/client';

let stop = (): void => {};
afterEach(() => stop());

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const key = 'sk-hr-mgmt-0000000000000000';
const answer =
  (status: number, body: string, headers = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end(body);
const error = (fields: object): string => JSON.stringify({ error: { code: 400, type: 'invalid_request_error', param: null, ...fields } });

describe('the client of the router', () => {
  it('asks below /v1 with the key, and leaves out what a query does not say', async () => {
    let asked = '';
    const url = await serve((request, response) => {
      asked = `${request.method} ${request.url} ${request.headers.authorization}`;
      response.end('{"data":1}');
    });
    expect(await createClient({ url, key }).get('/keys', { team: 'a b', offset: 0, by: undefined, since: null })).toEqual({ data: 1 });
    expect(asked).toBe(`GET /v1/keys?team=a+b&offset=0 Bearer ${key}`);
  });

  it('signs the path as the router sees it, whatever stands before it on the way', async () => {
    const url = await serve(answer(200, '{}'));
    const signed: string[] = [];
    const client = createClient({ url: `${url}/behind/a/proxy`, key }, undefined, (method, path) =>
      signed.push(`${method} ${path}`).toString(),
    );
    await client.get('/nodes/rig', { cursor: 'a' });
    expect(signed).toEqual(['GET /v1/nodes/rig']);
  });

  it.each([
    ['the message alone', { message: 'No such team.' }, 'No such team'],
    ['the field that the message does not name', { message: 'Expected a number.', param: 'limit' }, 'Expected a number (limit)'],
    ['the field once', { message: "Invalid value for 'limit'.", param: 'limit' }, "Invalid value for 'limit'"],
    ['allowed values', { message: 'Unknown reset', metadata: { allowed: ['daily', 'weekly'] } }, 'Unknown reset (allowed: daily, weekly)'],
    ['nothing that a terminal would obey', { message: 'bad\u001b[2Jname\r\nnext' }, 'bad [2Jname next'],
    ['a message of its own where there is none', {}, 'the router answered 400'],
  ])('says a refusal in one line: %s', async (_, fields, message) => {
    const url = await serve(answer(400, error(fields)));
    await expect(createClient({ url, key }).post('/keys', {})).rejects.toMatchObject({ message, status: 400, exitCode: 1 });
  });

  it.each([
    ['HTML', answer(502, '<html>bad gateway</html>')],
    ['JSON of somebody else', answer(404, '{"detail":"not found"}')],
    ['a number', answer(500, '7')],
    ['a redirect, which the key does not follow', answer(302, '', { location: 'http://127.0.0.1:1/' })],
  ])('takes %s for nothing that is a router: exit code 3', async (_, listener) => {
    const url = await serve(listener);
    await expect(createClient({ url, key }).get('/keys')).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('does not answer like a Headrace router'),
    });
  });

  it('says that nothing listens, that an answer is late, and that a connection was cut', async () => {
    await expect(createClient({ url: 'http://127.0.0.1:1', key }).get('/keys')).rejects.toMatchObject({ exitCode: 3 });
    const silent = await serve(() => {});
    await expect(createClient({ url: silent, key }, 50).get('/keys')).rejects.toMatchObject({
      exitCode: 3,
      message: `${silent}: no answer in 0.05 s`,
    });
    stop();
    const torn = await serve((_, response) => response.writeHead(200).write('{', () => response.destroy()));
    await expect(createClient({ url: torn, key }).get('/keys')).rejects.toMatchObject({
      exitCode: 3,
      message: `cannot reach ${torn}: the connection was cut`,
    });
  });

  it('K4: never repeats the key', async () => {
    const failures = [await serve(answer(401, error({ message: 'Invalid key.' }))), 'http://127.0.0.1:1'].map((url) =>
      createClient({ url, key })
        .get('/keys')
        .catch((failure: Error) => `${failure.message} ${failure.stack}`),
    );
    for (const said of await Promise.all(failures)) expect(said).not.toContain(key);
  });
});
