import { beforeEach, describe, expect, it } from 'vitest';
import { sayChat } from '#src/dispatch/say-chat';
import { look, type Looked, type LookPorts, type LookWish } from '#src/nodes/probe/look';
import { createManualClock, type ManualClock } from '#test/support/manual-clock';
import { networkOf, openSupply, type Supply } from '../staged-supply.ts';
import { createEngine, type Call, type Traits } from './fake-engine.ts';
import { reportOf } from './reports.ts';

const HOUR_MS = 3_600_000;
const ORIGIN = 'https://gpu.example.com';
const URL_V1 = `${ORIGIN}/v1`;
const ADDRESS = '93.184.216.34';

let supply: Supply;
let clock: ManualClock;
let calls: Call[];
let asked: string[];

beforeEach(() => {
  supply = openSupply();
  supply.operator('op');
  clock = createManualClock();
});

interface Scene {
  traits?: Partial<Traits>;
  /** Where the name leads; absent where it leads nowhere. */
  dns?: string[] | undefined;
  /** What stands where the challenge should. */
  challenge?: Response;
  wish?: Partial<LookWish>;
  ports?: Partial<LookPorts>;
}

async function lookAt(id: string, { traits = {}, dns = [ADDRESS], challenge, wish, ports }: Scene = {}): Promise<Looked | null> {
  const engine = createEngine(clock, traits);
  calls = engine.calls;
  const host = (async (input: string, init?: RequestInit) =>
    input.includes('/.well-known/') ? (challenge ?? new Response('no', { status: 404 })) : engine.fetch(input, init)) as typeof fetch;
  const network = networkOf({ [ORIGIN]: host, 'https://203.1.1.1': host }, { 'gpu.example.com': dns });
  asked = network.asked;
  const looking = look(
    await supply.read(id),
    { actor: 'schedule', ...wish },
    {
      db: supply.db,
      now: clock.now,
      random: () => 0.5,
      say: sayChat,
      timers: clock.timers,
      fetch: network.fetch,
      nodeFetch: () => engine.fetch,
      keyOf: async () => null,
      dohUrl: 'https://dns.example/q',
      allowedHosts: [],
      ...ports,
    },
  );
  // Whoever awaits it hears of a failure, though not before time has passed.
  looking.catch(() => undefined);
  await clock.pass(20_000);
  return looking;
}

describe('a look at an endpoint with an address of its own', () => {
  it('R6: keeps out who has proven the address of another operator’s endpoint in traffic, until that has gone', async () => {
    supply.operator('other');
    supply.endpoint('first', { url: `${ORIGIN}/a`, operatorId: 'other', state: 'probation', nextProbeAtMs: Infinity });
    supply.endpoint('rig', { url: URL_V1, challenge: 'abc' });
    const challenge = () => new Response('abc');
    const kept = await lookAt('rig', { challenge: challenge() });
    expect(kept?.registration).toMatchObject({ state: 'pending', reason: 'another endpoint serves this model at its address' });
    expect(calls).toEqual([]);
    supply.exec("update registrations set state = 'retired' where endpoint_id = 'first'");
    expect((await lookAt('rig', { challenge: challenge() }))?.registration.state).toBe('probation');
  });

  it('finds the challenge, probes, and lets a newcomer in on probation', async () => {
    supply.endpoint('rig', { url: URL_V1, challenge: 'abc' });
    const looked = await lookAt('rig', { challenge: new Response(' abc\n') });
    expect(looked?.registration).toMatchObject({ state: 'probation', reason: null, failedProbes: 0, addresses: [ADDRESS] });
    expect(looked?.registration.provenAtMs).not.toBeNull();
    expect(looked?.registration.seen?.completed).toBe(true);
    expect(looked?.registration.expected?.source).toBe('probe');
    expect(supply.historyOf('rig')).toEqual(['probing', 'probation']);
    expect(supply.catalogueVersion()).not.toBe('one');
  });

  it('does not probe what is not proven, and asks again later', async () => {
    supply.endpoint('rig', { url: URL_V1, challenge: 'abc' });
    const looked = await lookAt('rig', { challenge: new Response('something else') });
    expect(looked?.registration).toMatchObject({ state: 'pending', reason: 'not proven: its host serves something else' });
    expect(looked?.registration.nextProbeAtMs).toBeGreaterThan(clock.now() - 20_000);
    expect(calls).toEqual([]);
    expect(supply.catalogueVersion()).toBe('one');
  });

  it('lets in at once whom a manager vouches for', async () => {
    supply.endpoint('rig', { url: URL_V1, state: 'probing', provenAtMs: 1, addresses: [ADDRESS] });
    expect((await lookAt('rig'))?.registration.state).toBe('active');
  });

  it('S6: quarantines an endpoint whose name leads to a private address now, without calling it', async () => {
    supply.endpoint('rig', { url: URL_V1, state: 'active', provenAtMs: 1, challenge: 'abc', addresses: [ADDRESS] });
    const looked = await lookAt('rig', { dns: ['10.0.0.7'] });
    expect(looked?.registration).toMatchObject({
      state: 'quarantined',
      reason: 'its address: its name leads to an address that is private or reserved',
    });
    expect(asked.every((url) => url.startsWith('https://dns.example/'))).toBe(true);
  });

  it('S13: wants a name that leads elsewhere altogether to be proven again', async () => {
    const moved = { dns: ['1.2.3.4'] };
    supply.endpoint('rig', { url: URL_V1, state: 'active', provenAtMs: 1, challenge: 'abc', addresses: [ADDRESS] });
    expect((await lookAt('rig', moved))?.registration).toMatchObject({ state: 'pending', provenAtMs: null });
    expect(calls).toEqual([]);
    expect((await lookAt('rig', { ...moved, challenge: new Response('abc') }))?.registration).toMatchObject({
      state: 'probation',
      addresses: ['1.2.3.4'],
    });
  });

  it('S13: goes on where some address has stayed, and where a manager vouches', async () => {
    supply.endpoint('some', { url: URL_V1, state: 'active', provenAtMs: 1, challenge: 'abc', addresses: [ADDRESS, '1.1.1.1'] });
    expect((await lookAt('some'))?.registration).toMatchObject({ state: 'active', addresses: [ADDRESS] });
    supply.endpoint('vouched', { url: URL_V1, state: 'active', provenAtMs: 1, addresses: ['1.1.1.1'] });
    expect((await lookAt('vouched'))?.registration).toMatchObject({ state: 'active', addresses: [ADDRESS] });
  });

  it('S11: calls nothing at an address that breaks the rule, however it got there', async () => {
    supply.endpoint('rig', { url: 'http://127.0.0.1:9000/v1', state: 'active', provenAtMs: 1 });
    expect((await lookAt('rig'))?.registration.state).toBe('quarantined');
    expect(asked).toEqual([]);
  });

  it('a resolver that is down takes nobody out of traffic and lets nobody in', async () => {
    const down = { ports: { dohUrl: 'https://nowhere.example/q' } };
    supply.endpoint('old', { url: URL_V1, state: 'active', provenAtMs: 1, challenge: 'abc', addresses: [ADDRESS] });
    supply.endpoint('new', { url: URL_V1, challenge: 'abc' });
    expect((await lookAt('old', down))?.registration.state).toBe('active');
    expect((await lookAt('new', { ...down, challenge: new Response('abc') }))?.registration.state).toBe('pending');
  });

  it('fails three times, then is in quarantine with the reason, and comes back by a passed probe', async () => {
    supply.endpoint('rig', { url: URL_V1, state: 'active', provenAtMs: 1, addresses: [ADDRESS] });
    const broken = { chat: () => new Response('oops', { status: 500 }) };
    const states: (string | undefined)[] = [];
    for (let time = 0; time < 4; time++) states.push((await lookAt('rig', { traits: broken }))?.registration.state);
    expect(states).toEqual(['active', 'probing', 'quarantined', 'quarantined']);
    expect((await supply.read('rig')).registration).toMatchObject({ reason: 'asked for an answer: HTTP 500', failedProbes: 4 });
    expect((await lookAt('rig'))?.registration).toMatchObject({ state: 'active', reason: null, failedProbes: 0 });
    expect(supply.historyOf('rig')).toEqual(['probing', 'quarantined', 'probing', 'active']);
  });

  it.each(['draining', 'retired', 'quarantined'] as const)('leaves alone what is %s by somebody’s word', async (state) => {
    supply.endpoint('rig', { url: URL_V1, state, provenAtMs: 1, addresses: [ADDRESS] });
    expect(await lookAt('rig')).toBeNull();
    expect(calls).toEqual([]);
    expect((await supply.read('rig')).registration.state).toBe(state);
    expect((await supply.read('rig')).registration.nextProbeAtMs).toBeGreaterThan(clock.now());
  });

  it('is taken by one alone, where two look at the same time', async () => {
    supply.endpoint('rig', { url: URL_V1, state: 'active', provenAtMs: 1, addresses: [ADDRESS] });
    const [one, other] = await Promise.all([lookAt('rig'), lookAt('rig')]);
    expect([one, other].filter((looked) => looked !== null)).toHaveLength(1);
  });

  it('writes nothing over what its operator has changed meanwhile', async () => {
    supply.endpoint('rig', { url: URL_V1, state: 'active', provenAtMs: 1, addresses: [ADDRESS] });
    const looked = lookAt('rig', {
      traits: {
        chat() {
          supply.exec("update registrations set state = 'draining', updated_at_ms = updated_at_ms + 1");
          return undefined;
        },
      },
    });
    expect(await looked).toBeNull();
    expect(await supply.stateOf('rig')).toBe('draining');
  });

  it('R6: a stream of small changes keeps no verdict away', async () => {
    supply.endpoint('rig', { url: URL_V1, state: 'active', provenAtMs: 1, addresses: [ADDRESS], failedProbes: 2 });
    const looked = await lookAt('rig', {
      traits: {
        chat() {
          supply.exec('update registrations set next_probe_at_ms = 7, updated_at_ms = updated_at_ms + 1');
          return new Response('oops', { status: 500 });
        },
      },
    });
    expect(looked?.registration).toMatchObject({ state: 'quarantined', failedProbes: 3 });
    expect(supply.historyOf('rig')).toEqual(['quarantined']);
  });

  it('is no verdict on what its operator has made of it meanwhile', async () => {
    supply.endpoint('rig', { url: URL_V1, state: 'active', provenAtMs: 1, addresses: [ADDRESS] });
    const traits = {
      chat() {
        supply.exec("update endpoints set upstream_model = 'another'");
        supply.exec('update registrations set updated_at_ms = updated_at_ms + 1');
        return undefined;
      },
    };
    expect(await lookAt('rig', { traits })).toBeNull();
    expect((await supply.read('rig')).registration.seen).toBeNull();
  });

  it('S6: a name that nobody knows any more leaves the traffic at the third look, and comes back with its name', async () => {
    supply.endpoint('rig', { url: URL_V1, state: 'active', provenAtMs: 1, challenge: 'abc', addresses: [ADDRESS] });
    const states: (string | undefined)[] = [];
    for (let time = 0; time < 3; time++) states.push((await lookAt('rig', { dns: [] }))?.registration.state);
    expect(states).toEqual(['active', 'active', 'pending']);
    expect((await supply.read('rig')).registration).toMatchObject({ reason: 'its address: its name has no address', failedProbes: 0 });
    expect((await lookAt('rig'))?.registration.state).toBe('probation');
  });

  it('a look that dies leaves an endpoint that is due again soon, and where it was', async () => {
    supply.endpoint('rig', { url: URL_V1, state: 'active', provenAtMs: 1, addresses: [ADDRESS] });
    await expect(lookAt('rig', { ports: { keyOf: () => Promise.reject(new Error('gone')) } })).rejects.toThrow('gone');
    const { state, nextProbeAtMs } = (await supply.read('rig')).registration;
    expect(state).toBe('active');
    expect(nextProbeAtMs - clock.now()).toBeLessThanOrEqual(30_000);
  });

  it('K1: sends the key that its operator gave, and does not call it where the key cannot be opened', async () => {
    supply.endpoint('rig', { url: URL_V1, state: 'active', provenAtMs: 1, addresses: [ADDRESS] });
    await lookAt('rig', { ports: { keyOf: async () => 'sk-theirs' } });
    expect(calls[0]?.headers.get('authorization')).toBe('Bearer sk-theirs');
    const looked = await lookAt('rig', { ports: { keyOf: async () => undefined } });
    expect(calls).toEqual([]);
    expect(looked?.registration.reason).toBe('reachable: its key cannot be opened');
  });

  it('makes no new catalogue where nothing has changed that routing reads', async () => {
    supply.endpoint('rig', { url: URL_V1, state: 'active', provenAtMs: 1, addresses: [ADDRESS] });
    await lookAt('rig');
    const version = supply.catalogueVersion();
    await lookAt('rig');
    expect(supply.catalogueVersion()).toBe(version);
    await lookAt('rig', { traits: { context: 4_096 } });
    expect(supply.catalogueVersion()).not.toBe(version);
  });
});

describe('a look at an endpoint of a node', () => {
  it('goes over the link, whatever its address says', async () => {
    supply.node('rig');
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1 });
    expect((await lookAt('rig'))?.registration).toMatchObject({ state: 'probation', capacity: { poolTokens: 60_000, maxSequences: 16 } });
    expect(asked).toEqual([]);
  });

  it('is let in at once where its operator belongs to a team', async () => {
    supply.operator('team-op', { teamId: 'research' });
    supply.node('rig');
    supply.endpoint('rig', { nodeId: 'rig', operatorId: 'team-op', provenAtMs: 1 });
    expect((await lookAt('rig'))?.registration.state).toBe('active');
  });

  it('does not ask a node that is drained, and leaves it drained', async () => {
    supply.node('rig');
    supply.exec('update nodes set drained = 1');
    supply.endpoint('rig', { nodeId: 'rig', provenAtMs: 1 });
    expect((await lookAt('rig'))?.registration).toMatchObject({ state: 'draining', reason: 'its node is drained' });
    expect(calls).toEqual([]);
  });

  it('takes it out while the node is not connected', async () => {
    supply.node('rig', { linkedAtMs: 5, unlinkedAtMs: 9 });
    supply.endpoint('rig', { nodeId: 'rig', state: 'active', provenAtMs: 1, seen: reportOf() });
    expect((await lookAt('rig'))?.registration).toMatchObject({ state: 'pending', reason: 'its node is not connected' });
    expect(calls).toEqual([]);
    expect((await supply.read('rig')).registration.nextProbeAtMs - clock.now()).toBeGreaterThan(HOUR_MS / 2);
  });
});
