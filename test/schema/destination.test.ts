import { describe, expect, it } from 'vitest';
import { isAllowedDestination } from '#schema/destination';

const refused = (url: string, allowed: string[] = []) => isAllowedDestination(url, allowed).ok === false;

describe('destination rule', () => {
  it.each([
    'https://api.example.com/v1',
    'https://api.example.com:8443/v1',
    'https://8.8.8.8/v1',
    'https://[2606:4700::1111]/v1',
    'https://xn--bcher-kva.example/v1',
    'https://172.32.0.1',
    'https://100.128.0.1',
  ])('accepts a public https address: %s', (url) => {
    expect(isAllowedDestination(url, [])).toEqual({ ok: true });
  });

  it.each([
    '10.0.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.1.1',
    '100.64.0.1',
    '100.127.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '0.0.0.0',
    '203.0.113.9',
  ])('S1: refuses private and special IPv4 %s', (host) => {
    expect(refused(`https://${host}/v1`)).toBe(true);
  });

  it.each(['2130706433', '0177.0.0.1', '0x7f.0.0.1', '0x7f000001', '127.1', '017700000001', '10.1', '0', '192.168.257'])(
    'S2: refuses private IPv4 spelt %s',
    (host) => {
      expect(refused(`https://${host}/v1`)).toBe(true);
    },
  );

  it.each([
    '::1',
    '::',
    'fc00::1',
    'fdff::1',
    'fe80::1',
    'febf::1',
    'fec0::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:4136:e378::1',
    '2001:db8::1',
    '100::1',
    '3fff::1',
    '5f00::1',
  ])('S3: refuses special IPv6 %s', (host) => {
    expect(refused(`https://[${host}]/v1`)).toBe(true);
  });

  it.each([
    'https://api.example.com./v1',
    'https://LOCALHOST/v1',
    'https://%31%32%37.0.0.1/v1',
    'https://127。0。0。1/v1',
    'https://①②⑦.0.0.1/v1',
    'https://user@api.example.com/v1',
    'https://user:word@api.example.com/v1',
    'https://api.example.com\\@127.0.0.1/v1',
    'https:\\\\api.example.com/v1',
    'https://api.example.com/v1\r\nx: y',
    'https://api.exa\tmple.com/v1',
    ' https://api.example.com/v1',
    'https://api.example.com/v1?x=1',
    'https://api.example.com/v1#x',
    'https://api.example.com/v1?',
    'https://intranet/v1',
  ])('S4: refuses %j', (url) => {
    expect(refused(url)).toBe(true);
  });

  it.each(['169.254.169.254', 'metadata.google.internal', '[fd00:ec2::254]', '100.100.100.200', 'instance-data', 'metadata.internal'])(
    'S5: refuses the metadata service at %s',
    (host) => {
      expect(refused(`https://${host}/latest`)).toBe(true);
    },
  );

  it.each(['10.0.0.1.nip.io', 'x.sslip.io', 'app.localtest.me'])('S6: refuses wildcard DNS %s', (host) => {
    expect(refused(`https://${host}/v1`)).toBe(true);
  });

  it.each([
    'http://api.example.com',
    'file:///etc/passwd',
    'data:text/plain,x',
    'ws://api.example.com',
    'gopher://api.example.com',
    'javascript:1',
    'api.example.com',
    '',
  ])('S8: refuses the scheme of %s', (url) => {
    expect(refused(url)).toBe(true);
  });

  it.each([22, 80, 6379, 8080, 8000])('S9: refuses port %i on a public host', (port) => {
    expect(refused(`https://api.example.com:${port}/v1`)).toBe(true);
  });

  it('allows private hosts that the deployment names, over http and on any port, and no others', () => {
    const allowed = ['127.0.0.1', 'localhost', '::1', 'gpu.lan:9000'];
    for (const url of [
      'http://127.0.0.1:9101/v1',
      'http://localhost:9101/v1',
      'http://[::1]:9101/v1',
      'http://gpu.lan:9000/v1',
      'http://0x7f.1:9101',
    ]) {
      expect(isAllowedDestination(url, allowed), url).toEqual({ ok: true });
    }
    for (const url of [
      'http://127.0.0.2:9101/v1',
      'http://gpu.lan:9001/v1',
      'http://10.0.0.1/v1',
      'http://user@127.0.0.1/v1',
      'ftp://127.0.0.1',
    ]) {
      expect(refused(url, allowed), url).toBe(true);
    }
  });
});
