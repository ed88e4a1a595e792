import { beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '#devnet/random';
import type { Offer } from '#schema/catalog';
import type { Receipt } from '#schema/receipt';
import { RUNTIME_TIMERS } from '#schema/timers';
import { attempt } from '#src/dispatch/attempt';
import { chooseReferences } from '#src/jobs/choose-references';
import { compareModels, type ComparePorts } from '#src/jobs/compare-models';
import { control, startFleet } from '#test/devnet/support';
import { reportOf } from '#test/src/nodes/probe/reports';
import { openSupply, type Supply } from '#test/src/nodes/staged-supply';
import { offerOf } from '#test/src/routing/fleet';

const MODEL = 'qwen/qwen3-8b';
const HOUR_MS = 3_600_000;
/** A devnet that does not keep anybody waiting. */
const SPEED = 1_000_000;

let supply: Supply;
let receipts: Receipt[];
let lines: Record<string, unknown>[];
let nowMs: number;

beforeEach(() => {
  supply = openSupply();
  supply.operator('op');
  supply.operator('other');
  receipts = [];
  lines = [];
  nowMs = Date.now();
});

const shown = reportOf({ seen: { capabilities: { logprobs: true } } });

/** The devnet's rig as an operator registers it, and its API as the manifest names it. */
async function openFleet() {
  const devnet = await startFleet(SPEED);
  const on = (endpointId: string, over: Partial<Offer> = {}) =>
    offerOf({ endpointId, operatorId: endpointId, modelId: MODEL, url: `${devnet.url}/${endpointId}/v1`, ...over });
  const rig = on('rig-4090-a', {
    operatorId: 'op',
    supply: 'selfhosted',
    engine: 'vllm',
    upstreamModel: 'Qwen/Qwen3-8B-FP8',
    kvCache: 'turboquant_4bit_nc',
  });
  const api = on('api-orchard', { upstreamModel: 'qwen3-8b', keySecret: 'ORCHARD', quantization: 'unknown', kvCache: 'unknown' });
  supply.endpoint('rig-4090-a', { state: 'active', seen: shown, url: rig.url });
  return { devnet, rig, api };
}

async function compare(offers: readonly Offer[], over: Partial<ComparePorts> = {}): Promise<void> {
  await compareModels({
    db: supply.db,
    now: () => nowMs,
    timers: RUNTIME_TIMERS,
    random: createRandom(nowMs % 1_000),
    call: (order) => attempt(order, { fetch, now: () => nowMs }),
    secret: () => 'devnet-orchard-key',
    snapshot: () =>
      ({ version: 'one', models: new Map([[MODEL, { offers }]]) }) as unknown as Awaited<ReturnType<ComparePorts['snapshot']>>,
    isCallable: () => true,
    readRecent: async () => ({ askedAtMs: new Map(), spentNanoUsd: 0 }),
    book: async (receipt) => void receipts.push(receipt),
    log: (event) => lines.push(event),
    ...over,
  });
}

const standing = async () => (await supply.read('rig-4090-a')).registration;
const comparison = async () => (await standing()).seen?.comparison;

describe('an endpoint in traffic', () => {
  it('V, M15: agrees with its model, ten times out of ten, codec and all', async () => {
    const { rig, api } = await openFleet();
    for (let time = 0; time < 10; time++) {
      nowMs += 7 * HOUR_MS;
      await compare([rig, api]);
      expect(await comparison()).toMatchObject({ verdict: 'agrees', references: 1, at: new Date(nowMs).toISOString() });
    }
    expect(await standing()).toMatchObject({ state: 'active', reason: null });
  });

  it('V, M15: that serves another model is told so, compared again soon, and quarantined for a manager to end', async () => {
    const { devnet, rig, api } = await openFleet();
    await control(devnet, 'rig-4090-a', { faults: ['other-model'] });
    await compare([rig, api]);
    expect(await standing()).toMatchObject({
      state: 'active',
      reason: expect.stringMatching(/^its model: it answers as another one does/),
    });
    await compare([rig, api]);
    expect((await comparison())?.differed).toBe(1);
    nowMs += 11 * 60_000;
    await compare([rig, api]);
    expect(await standing()).toMatchObject({
      state: 'quarantined',
      failedProbes: 0,
      seen: { comparison: { verdict: 'differs', differed: 2 } },
    });
    expect(supply.historyOf('rig-4090-a')).toEqual(['quarantined']);
    expect(supply.catalogueVersion()).not.toBe('one');
  });

  it('that a manager vouches for stays, with the reason', async () => {
    const { devnet, rig, api } = await openFleet();
    supply.exec("update registrations set vouched_at_ms = 1, vouched_by = 'key-admin'");
    await control(devnet, 'rig-4090-a', { faults: ['other-model'] });
    for (let time = 0; time < 3; time++) {
      nowMs += 11 * 60_000;
      await compare([rig, api]);
    }
    expect(await standing()).toMatchObject({ state: 'active', reason: expect.stringMatching(/^its model/) });
    await control(devnet, 'rig-4090-a', { faults: [] });
    nowMs += 11 * 60_000;
    await compare([rig, api]);
    expect(await standing()).toMatchObject({ state: 'active', reason: null, seen: { comparison: { verdict: 'agrees', differed: 0 } } });
  });

  it('is compared every six hours, and costs the house what its receipts say', async () => {
    const { rig, api } = await openFleet();
    await compare([rig, api]);
    expect(receipts.map(({ keyId, chargedNanoUsd }) => [keyId, chargedNanoUsd])).toEqual(Array(8).fill(['headrace:comparison', 0]));
    expect(receipts.reduce((sum, { absorbedNanoUsd }) => sum + absorbedNanoUsd, 0)).toBeGreaterThan(0);
    nowMs += 5 * HOUR_MS;
    await compare([rig, api]);
    expect(receipts).toHaveLength(8);
  });

  it('is not compared beyond the day’s budget', async () => {
    const { rig, api } = await openFleet();
    await compare([rig, api], { readRecent: async () => ({ askedAtMs: new Map(), spentNanoUsd: 0.1e9 }) });
    expect([receipts.length, await comparison()]).toEqual([0, undefined]);
  });

  it('has no reference where it is the only one, and that costs nothing', async () => {
    const { rig } = await openFleet();
    await compare([rig]);
    expect([receipts.length, (await comparison())?.verdict]).toEqual([0, 'no_reference']);
  });
});

describe('references', () => {
  const own = offerOf({ endpointId: 'own', operatorId: 'op', url: 'https://own.example/v1' });
  const chosen = (offers: readonly Offer[], trust = new Map()) =>
    chooseReferences(own, offers, trust, () => true).map(({ offer, isSure }) => [offer.endpointId, isSure]);

  it('V: are never the operator’s own, anonymous, a team’s, or without log probabilities', () => {
    const offers = [
      own,
      offerOf({ endpointId: 'sibling', operatorId: 'op' }),
      offerOf({ endpointId: 'miner', supply: 'subnet' }),
      offerOf({ endpointId: 'team', ownerTeamId: 'research' }),
      offerOf({ endpointId: 'mute', capabilities: new Set() }),
      offerOf({ endpointId: 'free', price: null }),
    ];
    expect(chosen(offers)).toEqual([]);
  });

  it('are what the deployment itself says first, the cheapest first, one of each operator, two at most', () => {
    const price = (times: number) => ({ promptPicoUsdPerToken: times, completionPicoUsdPerToken: times, requestNanoUsd: 0 });
    const offers = [
      offerOf({ endpointId: 'earned', price: price(1) }),
      offerOf({ endpointId: 'dear', price: price(9) }),
      offerOf({ endpointId: 'cheap', price: price(2) }),
      offerOf({ endpointId: 'cheap-too', operatorId: 'cheap', price: price(3) }),
      offerOf({ endpointId: 'newcomer', price: price(1) }),
    ];
    const trust = new Map([
      ['earned', { endpointId: 'earned', isTrusted: false, isActive: true }],
      ['newcomer', { endpointId: 'newcomer', isTrusted: false, isActive: false }],
    ]);
    expect(chosen(offers, trust)).toEqual([
      ['cheap', true],
      ['dear', true],
    ]);
    expect(chosen(offers.slice(0, 1), trust)).toEqual([['earned', false]]);
  });

  it('M15, V: are one voice where nobody answers for them and they share an address, and none where they share the endpoint’s own', () => {
    const at = (endpointId: string, url: string) => offerOf({ endpointId, url });
    const active = (endpointId: string, ...addresses: string[]) =>
      [endpointId, { endpointId, isTrusted: false, isActive: true, ...(addresses.length > 0 && { addresses }) }] as const;
    const offers = [at('one', 'https://one.example/v1'), at('two', 'https://two.example/v1'), at('three', 'https://203.1.1.3/v1')];
    const named = (trust: ReturnType<typeof active>[]) => chosen(offers, new Map(trust)).map(([id]) => id);
    const apart = [active('one', '203.1.1.1'), active('two', '203.1.1.2'), active('three')];
    expect(named(apart)).toEqual(['one', 'two']);
    expect(named([active('one', '203.1.1.1'), active('two', '203.1.1.1', '203.1.1.9'), active('three')])).toEqual(['one', 'three']);
    expect(named([active('own', '203.1.1.9', '203.1.1.3'), ...apart])).toEqual(['one', 'two']);
    expect(named([active('own', '203.1.1.1'), active('one', '203.1.1.1'), active('two', '203.1.1.3'), active('three')])).toEqual(['two']);
    // What a manager answers for is no matter of addresses.
    const answeredFor = { endpointId: 'one', isTrusted: true, isActive: true, addresses: ['203.1.1.1'] };
    expect(chosen(offers.slice(0, 1), new Map<string, object>([active('own', '203.1.1.1'), ['one', answeredFor]]))).toEqual([
      ['one', true],
    ]);
  });

  it('are nodes of others too, which have no address that anybody knows', () => {
    const trust = new Map(['one', 'two'].map((endpointId) => [endpointId, { endpointId, isTrusted: false, isActive: true }]));
    const offers = ['one', 'two'].map((endpointId) => offerOf({ endpointId, url: `tunnel:${endpointId}` }));
    expect(chosen(offers, trust)).toHaveLength(2);
  });
});
