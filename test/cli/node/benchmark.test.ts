import { afterEach, describe, expect, it } from 'vitest';
import { measureEngine, readSequences, type BenchmarkOptions } from '#cli/node/benchmark/benchmark';
import { seededRandom } from '#test/support/random-chunks';
import { SMALL_MODEL, startSmallEngine, type SmallEngine } from '#test/support/small-engine';
import { serve } from './engines/fixture-server.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function started(): Promise<SmallEngine> {
  const engine = await startSmallEngine();
  stops.push(engine.stop);
  return engine;
}

const at = (url: string, more: Partial<BenchmarkOptions> = {}): BenchmarkOptions => ({
  url,
  key: null,
  fetch,
  model: SMALL_MODEL,
  length: 'short',
  maxSequences: 3,
  context: 32_768,
  random: seededRandom(1),
  now: () => performance.now(),
  ...more,
});

const bodyOf = (init: RequestInit | undefined): string => (typeof init?.body === 'string' ? init.body : '');

describe('the benchmark', () => {
  it('measures first token, pace, and several requests together', async () => {
    const engine = await started();
    engine.pace(25);
    engine.length(20);
    const result = await measureEngine(at(engine.url));
    if (!('speed' in result)) throw new Error(result.failure.reason);
    expect(result.speed.tpotMs).toBeGreaterThanOrEqual(24);
    expect(result.speed.throughput).toMatchObject({ streams: 3 });
    const alone = 1_000 / (result.speed.tpotMs ?? 1);
    expect(result.speed.throughput?.tokensPerSecond).toBeGreaterThan(alone);
  });

  it.each([
    ['one after the other', '10-110 115-215 220-320 325-425', 1],
    ['two by two', '10-110 12-112 115-215 116-216', 2],
    ['all together, however late they begin', '10-310 60-350 110-400 160-420', null],
    ['too short to tell', '10-12 13-15 16-18 19-21', null],
    ['one alone', '10-110', null],
  ])('sees how many an engine answers at once that lets the others wait: %s', (_, spans, sequences) => {
    const chats = spans.split(' ').map((span) => {
      const [ttftMs = 0, endsMs = 0] = span.split('-').map(Number);
      return { ttftMs, spanMs: endsMs - ttftMs, promptTokens: 30, completionTokens: 48 };
    });
    expect(readSequences(chats)).toBe(sequences);
  });

  it('ends in time however slow the engine is, with what has come until then', async () => {
    const engine = await started();
    engine.pace(100);
    engine.length(100_000);
    const startedAtMs = performance.now();
    const result = await measureEngine(at(engine.url));
    expect(performance.now() - startedAtMs).toBeLessThan(15_000);
    expect('speed' in result && result.speed.tpotMs).toBeGreaterThan(90);
    await expect.poll(() => engine.running()).toBe(0);
  });

  it('says why an engine cannot be measured, in its own words', async () => {
    const server = await serve((_, response) => response.writeHead(403).end('{"error":{"message":"not for you"}}'));
    stops.push(server.stop);
    expect(await measureEngine(at(server.url))).toEqual({ failure: { status: 403, reason: 'not for you' } });
  });

  it('says it as well where the words come inside a stream, as a full vLLM 0.32 sends them', async () => {
    const error = { message: 'The engine is currently busy', type: 'Service Unavailable', param: null, code: 503 };
    const server = await serve((_, response) => response.end(`data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n`));
    stops.push(server.stop);
    expect(await measureEngine(at(server.url))).toEqual({ failure: { status: 503, reason: 'The engine is currently busy' } });
  });

  it.each([3_000, 500])('tries shorter prompts while they are too long, here for %i characters', async (charsMax) => {
    const engine = await started();
    let asked = 0;
    const shy: typeof fetch = async (input, init) => {
      asked++;
      return bodyOf(init).length > charsMax
        ? Response.json({ error: { message: 'prompt too long' } }, { status: 400 })
        : fetch(input, init);
    };
    expect(await measureEngine(at(engine.url, { fetch: shy }))).toHaveProperty('speed.ttftMs');
    expect(asked).toBe(charsMax === 500 ? 6 : 5);
  });

  it('never asks the same twice, so that no prefix cache helps', async () => {
    const engine = await started();
    const prompts = new Set<string>();
    const listen: typeof fetch = (input, init) => {
      prompts.add(bodyOf(init));
      return fetch(input, init);
    };
    await measureEngine(at(engine.url, { fetch: listen }));
    expect(prompts.size).toBe(4);
  });

  it.each<[string, string]>([
    ['an empty stream', ''],
    ['events without a token', 'data: {"choices":[]}\n\ndata: [DONE]\n\n'],
    ['a web page', '<html>'],
  ])('believes %s to be no measurement', async (_what, body) => {
    const server = await serve((_, response) => response.end(body));
    stops.push(server.stop);
    expect(await measureEngine(at(server.url))).toEqual({ failure: { status: null, reason: 'it answered without a token' } });
  });
});
