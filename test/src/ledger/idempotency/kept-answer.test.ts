import { expect, it } from 'vitest';
import { packAnswer, unpackAnswer } from '#src/ledger/idempotency/kept-answer';

const BODY = Uint8Array.from({ length: 300 }, (_, place) => place % 256);

it('an answer comes back with its bytes and its labels, and says that it is a repeat', async () => {
  const headers = new Headers({
    'content-type': 'audio/mpeg',
    'x-generation-id': 'gen-1',
    'request-id': 'gen-1',
    'x-headrace-tier': 'open',
    'x-ratelimit-remaining-requests': '4',
    'access-control-allow-origin': 'https://page.test',
    'set-cookie': 'a=b',
  });
  const response = unpackAnswer(packAnswer(headers, BODY), { 'access-control-allow-origin': '*' });
  expect(Object.fromEntries(response.headers)).toEqual({
    'content-type': 'audio/mpeg',
    'x-generation-id': 'gen-1',
    'request-id': 'gen-1',
    'x-headrace-tier': 'open',
    'x-headrace-replayed': 'true',
    'access-control-allow-origin': '*',
  });
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(BODY);
});

it('an answer may be empty', async () => {
  const response = unpackAnswer(packAnswer(new Headers(), new Uint8Array()), {});
  expect([response.status, await response.text()]).toEqual([200, '']);
});
