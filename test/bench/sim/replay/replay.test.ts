import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readReplay } from '#bench/sim/replay/replay';
import { POLL_PLAYS_MS, replayFleet } from '#bench/sim/replay/replay-fleet';
import { toRequests } from '#bench/sim/workloads/to-requests';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-replay-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ENDPOINTS = `ep,model,tag,provider,quantization,context_length
0,lab/large,alpha/fp8,Alpha,fp8,65536
1,lab/large,beta,Beta,strange,
2,lab/large,gamma/fp4,Gamma,fp4,32768
3,lab/small,alpha,Alpha,unknown,8192
`;
const PRICES = `ts,ep,prompt_usd_per_token,completion_usd_per_token,cache_read_usd_per_token,discount
2026-08-01T00:00:00+00:00,0,0.000001,0.000002,0.0000001,0
2026-08-07T00:16:00+00:00,0,0.000003,0.000004,,0
2026-08-01T00:00:00+00:00,1,0.000002,0.000004,,0.5
2026-08-01T00:00:00+00:00,2,0,0,,0
2026-08-01T00:00:00+00:00,3,0.000001,0.000001,,0
`;
const UPTIME = `ts,ep,status,up5m,up30m,up1d
2026-08-07T00:00:00+00:00,0,0,100,100,100
2026-08-07T00:00:00+00:00,1,0,,75,100
2026-08-07T00:15:00+00:00,0,0,90,100,100
2026-08-07T00:30:00+00:00,0,-2,0,50,100
2026-08-07T00:30:00+00:00,1,0,,,
`;

function files(content: { endpoints?: string; prices?: string; uptime?: string | Buffer } = {}) {
  const write = (name: string, text: string | Buffer): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return {
    endpoints: write('endpoints.csv', content.endpoints ?? ENDPOINTS),
    prices: write('prices.csv', content.prices ?? PRICES),
    uptime: write('uptime.csv.gz', content.uptime ?? gzipSync(UPTIME)),
  };
}

/** Enough traffic for all three polls to be played. */
const REQUESTS = toRequests(
  Array.from({ length: 20 }, (_, place) => ({ atMs: (place * 2 * POLL_PLAYS_MS) / 20, promptTokens: 1_000, completionTokens: 100 })),
);

describe('measured endpoints', () => {
  test('are those of the model with most of them, or of the one asked for', async () => {
    expect((await readReplay(files(), null)).model).toBe('lab/large');
    await expect(readReplay(files(), 'lab/none')).rejects.toThrow(
      /^--model lab\/none has no endpoints in .*; most have lab\/large, lab\/small$/,
    );
  });

  test('without a price that could be charged, or without a poll, are left out', async () => {
    const { endpoints } = await readReplay(files(), 'lab/large');
    expect(endpoints.map(({ id }) => id)).toEqual(['alpha/fp8', 'beta']);
    await expect(readReplay(files(), 'lab/small')).rejects.toThrow('no endpoint of lab/small has both prices and polls');
  });

  test('cost what is listed: the discount is in it already', async () => {
    const { endpoints } = await readReplay(files(), null);
    expect(endpoints[1]?.prices).toEqual([{ atMs: expect.any(Number), promptUsd: 0.000002, completionUsd: 0.000004, cacheReadUsd: null }]);
  });

  test.each([
    [{ uptime: 'ts,ep,up5m\nsoon,0,100\n' }, 'uptime.csv.gz: line 2: ts is no date: "soon"'],
    [{ uptime: 'ts,ep,up5m\n2026-08-07T00:00:00Z,0,101\n' }, 'line 2: a success of 101 percent'],
    [{ prices: 'ts,ep\n' }, 'prices.csv: line 1: no column prompt_usd_per_token, completion_usd_per_token'],
    [{ endpoints: '' }, 'endpoints.csv: empty'],
  ])('%j is refused with its line', async (content, message) => {
    await expect(readReplay(files(content), null)).rejects.toThrow(message);
  });
});

describe('a fleet of measured endpoints', () => {
  test('fails as often as measured, one poll a minute, and leaves the catalogue while no poll lists it', async () => {
    const fleet = replayFleet(await readReplay(files(), null), { seed: 1, requests: REQUESTS });
    expect(fleet.isReplay).toBe(true);
    const spells = fleet.spells.map(({ endpointId, fromMs, untilMs, share }) => [endpointId, fromMs, untilMs, Number(share.toFixed(3))]);
    expect(spells).toEqual([
      ['alpha/fp8', POLL_PLAYS_MS, 2 * POLL_PLAYS_MS, 0.1],
      ['alpha/fp8', 2 * POLL_PLAYS_MS, 3 * POLL_PLAYS_MS, 1],
      ['beta', 0, POLL_PLAYS_MS, 0.25],
    ]);
    expect(fleet.listings).toEqual([
      { endpointId: 'beta', atMs: POLL_PLAYS_MS, isListed: false },
      { endpointId: 'beta', atMs: 2 * POLL_PLAYS_MS, isListed: true },
    ]);
  });

  test('changes its prices at the poll before which they changed, in pico-USD', async () => {
    const fleet = replayFleet(await readReplay(files(), null), { seed: 1, requests: REQUESTS });
    expect(fleet.endpoints[0]?.price).toEqual({
      promptPicoUsdPerToken: 1_000_000,
      completionPicoUsdPerToken: 2_000_000,
      cacheReadPicoUsdPerToken: 100_000,
      requestNanoUsd: 0,
    });
    expect(fleet.prices).toMatchObject([{ endpointId: 'alpha/fp8', atMs: POLL_PLAYS_MS, price: { promptPicoUsdPerToken: 3_000_000 } }]);
  });

  test('keeps contexts and quantizations, draws the same speeds for the same seed, and has slots to spare', async () => {
    const replay = await readReplay(files(), null);
    const [one, same, other] = [1, 1, 2].map((seed) => replayFleet(replay, { seed, requests: REQUESTS }));
    expect(one?.endpoints[0]).toMatchObject({ context: 65_536, quantization: 'fp8', operatorId: 'Alpha' });
    expect(one?.endpoints[1]).toMatchObject({ quantization: 'unknown', cache: null });
    expect(same).toEqual(one);
    expect(other?.endpoints[0]?.tpotMs).not.toBe(one?.endpoints[0]?.tpotMs);
    expect(one?.endpoints.every(({ slots, queueMax }) => slots >= 4 && queueMax >= 4)).toBe(true);
  });
});
