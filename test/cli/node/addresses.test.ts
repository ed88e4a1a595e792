import { describe, expect, it } from 'vitest';
import { readUpstream } from '#cli/node/join-options';
import { isPrivateWay, readRouterAddress } from '#cli/node/router-address';

describe('the address of an engine', () => {
  it.each([
    ['127.0.0.1:8000', 'http://127.0.0.1:8000'],
    ['http://localhost:8000/', 'http://localhost:8000'],
    ['http://localhost:8000/v1', 'http://localhost:8000'],
    ['http://localhost:8000/v1/chat/completions', 'http://localhost:8000'],
    ['http://localhost:8000/v1/models', 'http://localhost:8000'],
    ['https://rack.lan/engines/a/v1/', 'https://rack.lan/engines/a'],
    ['http://[::1]:8000', 'http://[::1]:8000'],
    ['[::1]:8000', 'http://[::1]:8000'],
  ])('%s is read as %s', (text, url) => expect(readUpstream(text)).toBe(url));

  it.each(['::1', 'fe80::1:8000', 'ftp://x', 'http://'])('%s is refused with an example of each kind', (text) =>
    expect(() => readUpstream(text)).toThrow(/expected http:\/\/127\.0\.0\.1:8000 or http:\/\/\[::1\]:8000/),
  );
});

describe('the way to a router', () => {
  it.each([
    ['https://router.example.com', true],
    ['http://localhost:8787', true],
    ['http://[::1]:8787', true],
    ['http://127.9.9.9', true],
    ['http://192.168.1.10:8787', false],
    ['http://localhost.example.com', false],
  ])('%s is private: %s', (url, isPrivate) => {
    expect(isPrivateWay(url)).toBe(isPrivate);
    const read = (isInsecure: boolean) => () => readRouterAddress(url, isInsecure);
    expect(read(true)).not.toThrow();
    if (isPrivate) expect(read(false)).not.toThrow();
    else expect(read(false)).toThrow(/use https, or add --insecure/);
  });
});
