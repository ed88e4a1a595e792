import { describe, expect, it } from 'vitest';
import { isNamedHost, isPublicAddress } from '#schema/destination';
import { DOH_URL_DEFAULT, resolveHost } from '#src/nodes/address/resolve-host';

interface Said {
  A?: object;
  AAAA?: object;
}

/** A resolver that answers these documents; what it was asked is in `asked`. */
function resolver(said: Said | ((type: string) => Response | Promise<Response>), allowedHosts: readonly string[] = []) {
  const asked: { url: URL; init: RequestInit | undefined }[] = [];
  const fetch = (async (input: string, init?: RequestInit) => {
    const url = new URL(input);
    asked.push({ url, init });
    const type = url.searchParams.get('type') ?? '';
    if (typeof said === 'function') return said(type);
    return Response.json((said as Record<string, object>)[type] ?? { Status: 0 });
  }) as typeof globalThis.fetch;
  const timers = { set: () => 0 as never, clear: () => undefined };
  return { asked, resolve: (url: string) => resolveHost(url, { fetch, dohUrl: DOH_URL_DEFAULT, allowedHosts, timers }) };
}

const a = (...data: string[]) => ({ Status: 0, Answer: data.map((address) => ({ name: 'x', type: 1, TTL: 60, data: address })) });
const aaaa = (...data: string[]) => ({ Status: 0, Answer: data.map((address) => ({ name: 'x', type: 28, TTL: 60, data: address })) });
const NO_SUCH_NAME = { Status: 3 };

describe('addresses', () => {
  it.each(['93.184.216.34', '8.8.8.8', '2606:4700::1111', '2A00:1450:4001::200E'])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    '10.0.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '100.100.100.200',
    '0.0.0.0',
    '255.255.255.255',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2002:808:808::',
    '2001::1',
    '2001:db8::1',
    'fd00:ec2::254',
    '',
    'example.com',
    '[::1]',
    '8.8.8.8/24',
    '0x08080808',
    '2606:4700::1111%eth0',
    '2606:4700::zzzz',
  ])('S1, S3, S5: %s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it('a host is named alone or with its port', () => {
    const named = ['gpu.lan', '10.0.0.5:9000', '::1'];
    const isNamed = (url: string) => isNamedHost(new URL(url), named);
    expect(['https://gpu.lan/v1', 'http://gpu.lan:81/v1', 'http://10.0.0.5:9000', 'http://[::1]:8080/'].map(isNamed)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['https://gpu.lan.example/v1', 'http://10.0.0.5:9001', 'http://[::2]/'].map(isNamed)).toEqual([false, false, false]);
  });
});

describe('looking a host up', () => {
  it('asks for both kinds of addresses as JSON, and follows no redirect', async () => {
    const { resolve, asked } = resolver({ A: a('93.184.216.34', '8.8.8.8'), AAAA: aaaa('2606:4700::1111') });
    expect(await resolve('https://gpu.example.com/v1')).toEqual({ ok: true, addresses: ['2606:4700::1111', '8.8.8.8', '93.184.216.34'] });
    expect(asked.map(({ url }) => url.href)).toEqual([
      `${DOH_URL_DEFAULT}?name=gpu.example.com&type=A`,
      `${DOH_URL_DEFAULT}?name=gpu.example.com&type=AAAA`,
    ]);
    for (const { init } of asked) expect(init).toMatchObject({ redirect: 'manual', headers: { accept: 'application/dns-json' } });
  });

  it.each(['https://8.8.8.8/v1', 'https://[2606:4700::1111]/v1', 'http://gpu.lan:9000/v1'])('asks nothing about %s', async (url) => {
    const { resolve, asked } = resolver({}, ['gpu.lan']);
    expect([await resolve(url), asked]).toEqual([{ ok: true, addresses: null }, []]);
  });

  it.each<[string, Said, string]>([
    ['nothing at all', {}, 'unknown'],
    ['no such name', { A: NO_SUCH_NAME, AAAA: NO_SUCH_NAME }, 'unknown'],
    ['a private address', { A: a('192.168.1.1') }, 'private'],
    ['a private one among public ones', { A: a('8.8.8.8', '10.0.0.1') }, 'private'],
    ['a public and a private one of two kinds', { A: a('8.8.8.8'), AAAA: aaaa('fe80::1') }, 'private'],
    ['an IPv4 address in IPv6 clothes', { AAAA: aaaa('::ffff:8.8.8.8') }, 'private'],
    ['something that is no address', { A: a('localhost') }, 'private'],
    ['a trouble of its own', { A: { Status: 2 }, AAAA: aaaa('2606:4700::1111') }, 'unreachable'],
    ['no DNS document', { A: { hello: 'world' } }, 'unreachable'],
    ['a hundred addresses', { A: a(...Array.from({ length: 100 }, (_, n) => `8.8.8.${n}`)) }, 'unknown'],
  ])('S6: refuses a name for which the resolver says %s', async (_, said, kind) => {
    expect(await resolver(said).resolve('https://gpu.example.com/v1')).toMatchObject({ ok: false, kind });
  });

  it.each<[string, (type: string) => Response | Promise<Response>]>([
    ['500', () => new Response('no', { status: 500 })],
    ['a redirect', () => new Response(null, { status: 302, headers: { location: 'https://evil.example' } })],
    ['HTML', () => new Response('<html>')],
    ['too much', () => new Response(`{"Status":0,"x":"${'x'.repeat(70_000)}"}`)],
    ['nothing, for it is not there', () => Promise.reject(new TypeError('connection refused'))],
    ['half of it', (type) => (type === 'A' ? Response.json(a('8.8.8.8')) : new Response('', { status: 503 }))],
  ])('S6: a resolver that answers %s lets nobody in', async (_, answer) => {
    expect(await resolver(answer).resolve('https://gpu.example.com/v1')).toMatchObject({ ok: false, kind: 'unreachable' });
  });
});
