import { describe, expect, it } from 'vitest';
import type { RequestFacts } from '#schema/facts';
import { quotasOf, tokensToHold } from '#src/admission/quotas';

const TEAM = { id: 'research', policy: null, budget: null, limits: null };
const KEY = { keyId: 'k1', budget: null, limits: null };
const ALL = { requests_per_minute: 60, tokens_per_minute: 9000, concurrent: 4 };

const facts = (over: Partial<RequestFacts> = {}): RequestFacts => ({
  teamId: 'research',
  operation: 'chat',
  promptTokens: 100,
  maxTokens: 50,
  choices: 1,
  expectedCompletionTokens: 50,
  stream: false,
  needs: [],
  wants: [],
  signedBy: [],
  reasoning: false,
  freeOnly: false,
  ...over,
});

describe('the quotas of a caller', () => {
  it('begin with the money of the team, which is counted even where nothing bounds it', () => {
    expect(quotasOf(KEY, TEAM)).toEqual([{ id: 'team/nano_usd', unit: 'nano_usd', caps: [] }]);
  });

  it('K9: of a team and a key that are both bounded all hold', () => {
    const team = { ...TEAM, budget: { nanoUsd: 5e9, period: 'month' as const }, limits: ALL };
    const key = { ...KEY, budget: { nanoUsd: 7e9, period: 'day' as const }, limits: { ...ALL, requests_per_minute: 600 } };
    expect(quotasOf(key, team)).toEqual([
      { id: 'team/nano_usd', unit: 'nano_usd', caps: [{ amount: 5e9, period: 'month' }] },
      { id: 'team/requests', unit: 'requests', caps: [{ amount: 60, period: 'minute' }] },
      { id: 'team/tokens', unit: 'tokens', caps: [{ amount: 9000, period: 'minute' }] },
      { id: 'team/slots', unit: 'slots', caps: [{ amount: 4, period: 'total' }] },
      { id: 'key:k1/nano_usd', unit: 'nano_usd', caps: [{ amount: 7e9, period: 'day' }] },
      { id: 'key:k1/requests', unit: 'requests', caps: [{ amount: 600, period: 'minute' }] },
      { id: 'key:k1/tokens', unit: 'tokens', caps: [{ amount: 9000, period: 'minute' }] },
      { id: 'key:k1/slots', unit: 'slots', caps: [{ amount: 4, period: 'total' }] },
    ]);
  });

  it('leave out what is not bounded', () => {
    expect(quotasOf({ ...KEY, limits: { concurrent: 1 } }, TEAM).map(({ id }) => id)).toEqual(['team/nano_usd', 'key:k1/slots']);
  });

  it('keep a budget of nothing: it lets nothing through that costs anything', () => {
    expect(quotasOf({ ...KEY, budget: { nanoUsd: 0, period: 'total' } }, TEAM)[1]?.caps).toEqual([{ amount: 0, period: 'total' }]);
  });
});

describe('the tokens that a request holds', () => {
  const capped = quotasOf(KEY, { ...TEAM, limits: { tokens_per_minute: 10_000 } });

  it.each([
    ['the prompt and what is asked for', {}, 150],
    ['every choice', { choices: 3 }, 250],
    ['a default of 1,024 where nothing is asked for', { maxTokens: null }, 1124],
    ['the prompt alone where there is no output', { maxTokens: null, choices: 0 }, 100],
    ['what media may add', { promptSlackTokens: 5000 }, 5150],
    ['a whole minute at most because of what media may add', { promptSlackTokens: 10_000_000 }, 10_000],
    ['more than a minute where that is asked for', { maxTokens: 20_000, promptSlackTokens: 10_000_000 }, 20_100],
  ])('are %s', (_, over, tokens) => {
    expect(tokensToHold(facts(over), capped)).toBe(tokens);
  });
});
