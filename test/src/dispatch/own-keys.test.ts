import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OwnKeyOf } from '#schema/byok';
import { providerOrigins } from '#src/dispatch/provider-origins';
import { isCallable, targetOf } from '#src/dispatch/target';
import { createHealth } from '#src/health/health';
import { freezeClock, releaseClock } from '#test/support/fake-clock';
import { offerOf } from '#test/support/offers';
import { ANSWER, json } from '#test/support/scripted-fetch';
import { complete, replyOf, start } from './dispatched.ts';

beforeEach(freezeClock);
afterEach(releaseClock);

const OWN = 'sk-own-canary-0123456789';
const ACME = offerOf('acme', { keySecret: 'ACME_KEY' });
const GLOBEX = offerOf('globex', { keySecret: 'GLOBEX_KEY' });
const SECRETS: Record<string, string> = { ACME_KEY: 'house-acme-key', GLOBEX_KEY: 'house-globex-key' };
const secret = (name: string) => SECRETS[name];
const ownKeyOf: OwnKeyOf = ({ providerId }) => (providerId === 'acme' ? { credential: 'byok:1', key: OWN } : undefined);
const sealedShut: OwnKeyOf = ({ providerId }) => (providerId === 'acme' ? { credential: 'byok:1', key: null } : undefined);

const keysSent = (calls: readonly { headers: Headers }[]) => calls.map(({ headers }) => headers.get('authorization'));

describe('the key of an attempt', () => {
  it('is the team’s own where it has brought one, else the house’s', async () => {
    const run = start([json({ error: { message: 'boom' } }, 500), json(ANSWER)], {
      offers: [ACME, GLOBEX],
      order: { ownKeyOf },
      secrets: SECRETS,
    });
    complete(replyOf(await run.result));
    expect(keysSent(run.calls)).toEqual([`Bearer ${OWN}`, 'Bearer house-globex-key']);
    expect(run.trail.map(({ byok, costNanoUsd }) => [byok, costNanoUsd])).toEqual([
      [true, 0],
      [undefined, 1_800],
    ]);
  });

  it('M6: costs the house nothing where it is the team’s own', async () => {
    const run = start([json(ANSWER)], { offers: [ACME], order: { ownKeyOf }, secrets: SECRETS });
    complete(replyOf(await run.result));
    expect(run.trail).toMatchObject([{ byok: true, costNanoUsd: 0, promptTokens: 10, completionTokens: 2 }]);
  });

  it('R18: that the upstream refuses is the team’s trouble: the house’s goes on', async () => {
    const health = createHealth({ now: Date.now, random: () => 0 });
    const run = start([json({ error: { message: 'invalid api key' } }, 401), json(ANSWER)], {
      offers: [ACME, GLOBEX],
      order: { ownKeyOf },
      secrets: SECRETS,
      health,
    });
    complete(replyOf(await run.result));
    const view = health.view(Date.now(), 'research');
    expect(view.read('acme', 'acme', 'byok:1')?.credentialDisabled).toBe(true);
    expect(view.read('acme', 'acme', 'ACME_KEY')?.credentialDisabled).toBe(false);
  });

  it('K4: is scrubbed from what the upstream says of it', async () => {
    const echo = json({ error: { message: `no such account: ${OWN}, (${OWN})` } }, 403);
    const run = start([echo], { offers: [ACME], order: { ownKeyOf }, secrets: SECRETS });
    const result = await run.result;
    expect(JSON.stringify([result, run.trail])).not.toContain('canary');
    expect(run.trail[0]?.failure?.detail).toContain('no such account');
  });

  it('that cannot be opened is not replaced by the house’s', () => {
    expect(isCallable(ACME, { secret, ownKeyOf: sealedShut })).toBe(false);
    expect(targetOf(ACME, { secret, ownKeyOf: sealedShut }, false)).toBeNull();
    expect(targetOf(GLOBEX, { secret, ownKeyOf: sealedShut }, false)?.key).toBe('house-globex-key');
  });

  it('makes offers callable that the house has no key for', () => {
    expect(isCallable(ACME, { secret: () => undefined })).toBe(false);
    expect(isCallable(ACME, { secret: () => undefined, ownKeyOf })).toBe(true);
  });

  it('K1: is never a secret of the deployment itself, whatever a manifest says', () => {
    const greedy = offerOf('greedy', { keySecret: 'HEADRACE_SEAL_KEY' });
    expect(isCallable(greedy, { secret: () => 'everything' })).toBe(false);
    expect(targetOf(greedy, { secret: () => 'everything' }, false)).toBeNull();
  });
});

describe('origins of providers', () => {
  it('K1: are public https, of providers that have an address of their own', () => {
    const origins = providerOrigins([]);
    expect(origins.size).toBeGreaterThan(20);
    for (const origin of origins.values()) expect(new URL(origin).origin).toMatch(/^https:\/\/[^/]+$/);
    for (const id of ['selfhosted', 'vllm', 'ollama', 'runpod']) expect(origins.has(id)).toBe(false);
  });
});
