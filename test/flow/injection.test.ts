import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MODEL, openHouse, type House } from '#test/support/house';
import { answer } from '#test/support/openai-scripts';

/** Texts that change a query when they are pasted into it. */
const HOSTILE = [
  "' OR '1'='1",
  "'; DROP TABLE receipts; --",
  '" OR 1=1 --',
  "x') UNION SELECT hash FROM keys --",
  '%',
  '_',
  '\\',
  '%27%20OR%201=1',
];

let house: House;
let other: { id: string };

beforeAll(async () => {
  house = await openHouse({ endpoints: [{ id: 'plain' }] });
  house.upstream.script('plain', answer());
  const response = await house.chat();
  other = { id: response.headers.get('x-generation-id') ?? '' };
  await response.text();
  await house.receiptRow(other.id);
});

afterAll(() => house.stop());

describe('I2: text from strangers is data in every query', () => {
  it.each(HOSTILE)('a key that reads like SQL is an unknown key: %s', async (text) => {
    const response = await house.get('/v1/key', {
      headers: { authorization: `Bearer sk-hr-${text.replaceAll(' ', '/')}-0123456789abcdef` },
    });
    expect(response.status).toBe(401);
  });

  it.each(HOSTILE)('an id that reads like SQL finds no receipt: %s', async (text) => {
    const response = await house.get(`/v1/generation?id=${encodeURIComponent(text)}`);
    expect(response.status).toBe(404);
  });

  it.each(['%', '_', 'test_echo%', "' OR '1'='1"])('a search for %s matches letters, not wildcards', async (text) => {
    const response = await house.get(`/v1/models?q=${encodeURIComponent(text)}`);
    const { data } = (await response.json()) as { data: { id: string; name: string }[] };
    for (const model of data) expect(`${model.id} ${model.name}`.toLowerCase()).toContain(text);
  });

  it.each(HOSTILE)('a model, session and user that read like SQL are refused or stored as they are: %s', async (text) => {
    const unknown = await house.chat({ model: text });
    expect(unknown.status).toBe(404);
    const response = await house.chat({ model: MODEL, session_id: text, user: text });
    expect(response.status).toBe(200);
    const row = await house.receiptRow(response.headers.get('x-generation-id') ?? '');
    expect(row['session_id']).toBe(text);
  });

  it('and every table is still there, with the receipt of before', async () => {
    const row = await house.receiptRow(other.id);
    expect(row['state']).toBe('completed');
  });
});
