import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';

// Plain JavaScript, as the browser gets it.
const load = (name: string): Promise<Record<string, (...values: unknown[]) => unknown>> =>
  import(new URL(`../../console/parts/${name}.js`, import.meta.url).href);
const format = await load('format');
const { toChatBody, readRoute } = await load('request');
const { readEvents } = (await load('events')) as unknown as { readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> };

describe('numbers', () => {
  it.each([
    ['formatUsd', 0.00000684, '$0.00000684'],
    ['formatUsd', 0.0000127, '$0.00001270'],
    ['formatUsd', 0.0123, '$0.0123'],
    ['formatUsd', 12.5, '$12.50'],
    ['formatUsd', 0, '$0'],
    ['formatUsd', 1e-9, '<$0.00000001'],
    ['formatUsd', null, '–'],
    ['formatUsd', NaN, '–'],
    ['formatSum', 0.0012, '$0.0012'],
    ['formatSum', 0.000456212, '$0.000456'],
    ['formatSum', 1e-9, '$0.000000001'],
    ['formatSum', 0.12, '$0.12'],
    ['formatSum', 1234.5, '$1,234.50'],
    ['formatSum', -0.5, '-$0.50'],
    ['formatSum', 0, '$0'],
    ['formatSum', null, '–'],
    ['formatPricePerMillion', '0.00000002', '$0.020'],
    ['formatPricePerMillion', '0.0000024', '$2.40'],
    ['formatPricePerMillion', '0', 'free'],
    ['formatPricePerMillion', '-1', '–'],
    ['formatPricePerMillion', undefined, '–'],
    ['formatMs', 0.4, '<1 ms'],
    ['formatMs', 391.8, '392 ms'],
    ['formatMs', 999.6, '1.00 s'],
    ['formatMs', 1589, '1.59 s'],
    ['formatMs', 125_000, '2 min 5 s'],
    ['formatMs', null, '–'],
    ['formatPace', 8.6111, '8.6 ms'],
    ['formatShare', 0.0942, '9.4 %'],
    ['formatShare', 0.602, '60 %'],
    ['formatShare', 0.0001, '<0.1 %'],
    ['formatPercent', 100, '100 %'],
    ['formatPercent', null, '–'],
    ['formatCount', 5.38, '5.4'],
    ['formatCount', 24, '24'],
    ['formatCount', null, '–'],
    ['formatTokens', 113, '113'],
    ['formatTokens', 32_768, '32.8k'],
    ['formatTokens', 1_048_576, '1.05M'],
    ['formatInstant', '2027-01-31T08:00:59.999Z', '2027-01-31 08:00 UTC'],
    ['formatInstant', '2027-01-31T08:00:00+02:00', '2027-01-31 06:00 UTC'],
    ['formatInstant', null, '–'],
    ['formatInstant', 'soon', '–'],
    ['formatSpan', 20_000, '1 minute'],
    ['formatSpan', 119 * 60_000, '119 minutes'],
    ['formatSpan', 47 * 3_600_000, '47 hours'],
    ['formatSpan', 9 * 86_400_000, '9 days'],
    ['formatSpan', NaN, '–'],
    ['formatIndex', 1.38815, '1.388'],
    ['formatIndex', null, '–'],
    ['formatWord', 'zero_retention', 'zero retention'],
    ['formatWord', null, '–'],
    ['shortId', 'gen-0mwrod9dn-nnjgspq5l7f36mm3', '…l7f36mm3'],
  ])('%s prints %j as %s', (name, value, expected) => {
    expect(format[name]?.(value)).toBe(expected);
  });
});

describe('formatNumberOf', () => {
  it.each([
    [1, '1 key'],
    [0, '0 keys'],
    [12_300, '12,300 keys'],
    [undefined, '–'],
  ])('counts %j as %s', (count, expected) => {
    expect(format['formatNumberOf']?.(count, 'key')).toBe(expected);
  });
});

describe('placeAttempts', () => {
  it('puts attempts on one axis, from the first start to the last end', () => {
    const attempt = (second: number, duration_ms: number, ttft_ms: number | null) => ({
      started_at: new Date(second * 1000).toISOString(),
      duration_ms,
      ttft_ms,
    });
    expect(format.placeAttempts?.([attempt(0, 1000, null), attempt(1, 3000, 1000)])).toEqual([
      { from: 0, to: 0.25, first: null },
      { from: 0.25, to: 1, first: 0.5 },
    ]);
  });
});

describe('toChatBody', () => {
  const wishes = { model: 'a/b', prompt: 'Hi', stream: true, optimize: '', supplyOnly: [], minTier: '' };
  it('leaves knobs out that nobody touched, so that stored policies decide', () => {
    expect(toChatBody?.(wishes)).toEqual({ model: 'a/b', messages: [{ role: 'user', content: 'Hi' }], stream: true });
  });
  it('writes wishes under the names of the API', () => {
    expect(toChatBody?.({ ...wishes, optimize: 'latency', supplyOnly: ['subnet'], minTier: 'attested' })).toMatchObject({
      provider: { optimize: 'latency', supply: { only: ['subnet'] }, privacy: { min_tier: 'attested' } },
    });
  });
});

describe('readRoute', () => {
  it('reads the headers of an answer; absent ones are null', () => {
    const headers = new Headers({ 'x-generation-id': 'gen-1', 'x-headrace-endpoint': 'rig', 'x-headrace-attempts': '2' });
    expect(readRoute?.(headers)).toMatchObject({ id: 'gen-1', endpoint: 'rig', attempts: '2', tier: null });
  });
});

const toStream = (chunks: Uint8Array[]) => Readable.toWeb(Readable.from(chunks)) as unknown as ReadableStream<Uint8Array>;

describe('readEvents', () => {
  const wire = ': keep-alive\r\n\r\ndata: {"a":"é"}\r\n\r\ndata: one\ndata: two\n\ndata: [DONE]\n\ndata: cut';
  it.each([1, 2, 3, 7, 1000])('gives the same events in chunks of %i bytes', async (size) => {
    const bytes = new TextEncoder().encode(wire);
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.slice(at * size, (at + 1) * size));
    const seen: string[] = [];
    for await (const data of readEvents(toStream(chunks))) seen.push(data);
    expect(seen).toEqual(['{"a":"é"}', 'one\ntwo', '[DONE]']);
  });
  it('refuses an event without an end', async () => {
    const endless = toStream(Array.from({ length: 20 }, () => new TextEncoder().encode('x'.repeat(100_000))));
    await expect(readEvents(endless).next()).rejects.toThrow('without an end');
  });
});
