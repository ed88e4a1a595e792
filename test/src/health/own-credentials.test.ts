import { describe, expect, it } from 'vitest';
import { fail, FACTS, OFFER, repeat, setUp, succeed } from './scene.ts';

const OWN = { ...FACTS, ownCredential: 'byok:1' };

function scene() {
  const { health, clock } = setUp();
  const read = (credential: string | null) => health.view(clock.nowMs, FACTS.teamId).read(OFFER.endpointId, OFFER.operatorId, credential);
  return { health, clock, read };
}

describe("a team's own key", () => {
  it('R9, R18: that is refused is laid aside alone: neither the house’s key nor the endpoint nor another team’s key is', () => {
    const { health, read } = scene();
    repeat(3, () => fail(health.begin(OFFER, OWN), 'credential'));
    expect(read('byok:1')?.credentialDisabled).toBe(true);
    for (const other of ['RIG_KEY', 'byok:2', null]) expect(read(other)).toMatchObject({ credentialDisabled: false, breaker: 'closed' });
  });

  it('R18: is not laid aside because the house’s is refused', () => {
    const { health, read } = scene();
    fail(health.begin(OFFER, FACTS), 'credential');
    expect([read('RIG_KEY')?.credentialDisabled, read('byok:1')?.credentialDisabled]).toEqual([true, false]);
  });

  it('is tried again once after its rest', () => {
    const { health, clock, read } = scene();
    fail(health.begin(OFFER, OWN), 'credential');
    clock.nowMs += 60_000;
    expect(read('byok:1')?.credentialDisabled).toBe(false);
    const retry = health.begin(OFFER, OWN);
    expect(read('byok:1')?.credentialDisabled).toBe(true);
    succeed(retry);
    expect(read('byok:1')?.credentialDisabled).toBe(false);
  });

  it('R9: that has used up its account’s rate is left alone for as long as the upstream asks; everybody else goes on', () => {
    const { health, clock, read } = scene();
    fail(health.begin(OFFER, OWN), 'capacity', 5_000);
    expect(read('byok:1')?.backoffUntilMs).toBe(clock.nowMs + 5_000);
    expect(read('RIG_KEY')).toMatchObject({ backoffUntilMs: 0, cap: read('byok:2')?.cap });
    clock.nowMs += 5_000;
    expect(read('byok:1')?.backoffUntilMs).toBe(0);
  });

  it('is left alone longer each time, and as at first after a success', () => {
    const { health, clock, read } = scene();
    const waitMs = () => (read('byok:1')?.backoffUntilMs ?? 0) - clock.nowMs;
    const waits: number[] = [];
    for (let time = 0; time < 2; time++) {
      fail(health.begin(OFFER, OWN), 'capacity');
      waits.push(waitMs());
      clock.nowMs += 400_000;
    }
    succeed(health.begin(OFFER, OWN));
    fail(health.begin(OFFER, OWN), 'capacity');
    expect([...waits, waitMs()]).toEqual([2_000, 4_000, 2_000]);
  });

  it('is left alone at an endpoint that was never called, too', () => {
    const { health, clock } = scene();
    fail(health.begin(OFFER, OWN), 'capacity', 5_000);
    const unseen = health.view(clock.nowMs, FACTS.teamId).read('never', 'nobody', 'byok:1');
    expect(unseen).toMatchObject({ backoffUntilMs: clock.nowMs + 5_000, breaker: 'closed' });
  });

  it('keeps no bench for the house’s key: a full endpoint is full for all', () => {
    const { health, clock, read } = scene();
    fail(health.begin(OFFER, FACTS), 'capacity', 5_000);
    expect(read('byok:1')?.backoffUntilMs).toBe(clock.nowMs + 5_000);
  });
});
