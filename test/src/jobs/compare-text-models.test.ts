/** Comparing by text what shows no log probabilities, over a network that a test plays. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createRandom } from '#devnet/random';
import type { Capability, Offer } from '#schema/catalog';
import { attempt } from '#src/dispatch/attempt';
import { compareModels, type ComparePorts } from '#src/jobs/compare-models';
import { reportOf } from '#test/src/nodes/probe/reports';
import { openSupply, type Supply } from '#test/src/nodes/staged-supply';
import { offerOf } from '#test/src/routing/fleet';
import { createManualClock } from '#test/support/manual-clock';

const MODEL = 'qwen/qwen3-8b';
const MUTE: ReadonlySet<Capability> = new Set();

let supply: Supply;
let clock: ReturnType<typeof createManualClock>;
/** What each host says to a prompt; null: nothing. */
let says: Record<string, (prompt: string) => string | null>;
let asked: string[];
let spent: number;

beforeEach(() => {
  supply = openSupply();
  supply.operator('op');
  clock = createManualClock();
  asked = [];
  spent = 0;
  const model = (prompt: string) => `the model says of ${prompt.length} characters this and that and more of it`;
  says = { one: model, two: model, rig: model };
  supply.endpoint('rig', { state: 'probation', seen: reportOf() });
});

const fetch = async (input: unknown, init?: RequestInit): Promise<Response> => {
  const { hostname } = new URL(String(input));
  const host = hostname.split('.')[0] ?? '';
  asked.push(host);
  const { messages } = JSON.parse(typeof init?.body === 'string' ? init.body : '{}') as { messages: { content: string }[] };
  const content = says[host]?.(messages.map((message) => message.content).join('\n')) ?? null;
  if (content === null) return Response.json({ error: { message: 'no' } }, { status: 500 });
  const usage = { prompt_tokens: 40, completion_tokens: 12, total_tokens: 52 };
  return Response.json({
    id: 'x',
    model: 'm',
    choices: [{ index: 0, finish_reason: 'length', message: { role: 'assistant', content } }],
    usage,
  });
};

const at = (endpointId: string, over: Partial<Offer> = {}) =>
  offerOf({ endpointId, operatorId: endpointId, modelId: MODEL, url: `https://${endpointId}.example/v1`, capabilities: MUTE, ...over });
const rig = (over: Partial<Offer> = {}) => at('rig', { operatorId: 'op', supply: 'selfhosted', isRegistered: true, ...over });

async function compare(offers: readonly Offer[], over: Partial<ComparePorts> = {}) {
  const snapshot = { version: 'one', models: new Map([[MODEL, { offers }]]) };
  await compareModels({
    db: supply.db,
    now: clock.now,
    timers: clock.timers,
    random: createRandom(clock.now() % 1_000),
    call: (order) => attempt(order, { fetch: fetch as typeof globalThis.fetch, now: clock.now }),
    secret: () => undefined,
    snapshot: () => snapshot as unknown as Awaited<ReturnType<ComparePorts['snapshot']>>,
    isCallable: () => true,
    readRecent: async () => ({ askedAtMs: new Map(), spentNanoUsd: 0 }),
    book: async ({ absorbedNanoUsd }) => void (spent += absorbedNanoUsd),
    log: () => undefined,
    ...over,
  });
  const { registration } = await supply.read('rig');
  return { state: registration.state, reason: registration.reason, ...registration.seen?.comparison };
}

describe('an endpoint without log probabilities', () => {
  it('V, M15: agrees by what it says where two others agree on it', async () => {
    expect(await compare([rig(), at('one'), at('two')])).toMatchObject({ verdict: 'agrees', by: 'text', references: 2, differed: 0 });
    expect([asked.length, spent > 0]).toEqual([24, true]);
    expect(clock.pending()).toBe(0);
  });

  it('V, M15: that says something else is held back at once, and quarantined in the third round', async () => {
    says['rig'] = (prompt) => `quite another thing about ${prompt.length} and nothing else at all here`;
    const round = async () => {
      const found = await compare([rig(), at('one'), at('two')]);
      await clock.pass(11 * 60_000);
      return found;
    };
    expect(await round()).toMatchObject({ state: 'probation', verdict: 'differs', by: 'text', differed: 1 });
    expect(supply.catalogueVersion()).not.toBe('one');
    expect(await round()).toMatchObject({ state: 'probation', differed: 2 });
    expect(await round()).toMatchObject({ state: 'quarantined', differed: 3, reason: expect.stringMatching(/^its model/) });
  });

  it('is compared with nobody where there is one other alone, and that costs nothing', async () => {
    expect(await compare([rig(), at('one')])).toMatchObject({ verdict: 'no_reference' });
    expect(asked).toEqual([]);
  });

  it('V, M15: that does not answer costs its references nothing, and gets no further until it does', async () => {
    says['rig'] = () => null;
    expect(await compare([rig(), at('one'), at('two')])).toMatchObject({ verdict: 'unanswered', differed: 0 });
    expect(new Set(asked)).toEqual(new Set(['rig']));
    await compare([rig(), at('one'), at('two')]);
    expect(asked.length).toBeLessThanOrEqual(2);
    await clock.pass(11 * 60_000);
    says['rig'] = says['one'] ?? says['rig'];
    expect(await compare([rig(), at('one'), at('two')])).toMatchObject({ verdict: 'agrees' });
  });

  it('V, M15: that promises log probabilities and gives none is asked for text next', async () => {
    const promising = { capabilities: new Set<Capability>(['logprobs']) };
    const offers = [rig(promising), at('one', promising), at('two', promising)];
    expect(await compare(offers)).toMatchObject({ verdict: 'unanswered' });
    await clock.pass(11 * 60_000);
    says['rig'] = () => 'another model says nothing of what the others say here';
    expect(await compare(offers)).toMatchObject({ verdict: 'differs', by: 'text' });
  });

  it('V, M15: that promises log probabilities and gives none stays unanswered where too few others could be asked for text', async () => {
    const promising = { capabilities: new Set<Capability>(['logprobs']) };
    for (let time = 0; time < 3; time++) {
      expect(await compare([rig(promising), at('one', promising)])).toMatchObject({ verdict: 'unanswered' });
      await clock.pass(11 * 60_000);
    }
  });

  it('V: leaves half of the day’s money to those that were compared before, where it never was', async () => {
    const readRecent = async () => ({ askedAtMs: new Map(), spentNanoUsd: 0.05e9 });
    expect(await compare([rig(), at('one'), at('two')], { readRecent })).not.toHaveProperty('verdict');
    await compare([rig(), at('one'), at('two')]);
    await clock.pass(7 * 3_600_000);
    asked = [];
    expect(await compare([rig(), at('one'), at('two')], { readRecent })).toMatchObject({ verdict: 'agrees' });
    expect(asked).toHaveLength(24);
  });

  it('is not asked where it does not chat', async () => {
    expect(await compare([rig({ operations: new Set(['embeddings']) }), at('one'), at('two')])).toMatchObject({ verdict: 'no_reference' });
    expect(asked).toEqual([]);
  });
});

describe('whose turn it is', () => {
  it('V: is that of one endpoint of each operator first: two hundred of one keep nobody from being compared', async () => {
    supply.operator('other');
    for (const id of ['a', 'b', 'c', 'd']) supply.endpoint(id, { state: 'active', seen: reportOf(), url: `https://${id}.example/v1` });
    supply.exec("UPDATE registrations SET operator_id = 'other' WHERE endpoint_id = 'rig'");
    await compare(['a', 'b', 'c', 'd', 'rig'].map((id) => at(id)).map((offer) => ({ ...offer, supply: 'selfhosted' })));
    const compared = supply.rows("SELECT endpoint_id AS id FROM registrations WHERE seen ->> '$.comparison.at' IS NOT NULL ORDER BY id");
    expect(compared.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'rig']);
  });
});
