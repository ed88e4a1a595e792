import { describe, expect, it } from 'vitest';
import type { Usage } from '#schema/receipt';
import type { UnitReply } from '#schema/unit';
import { settleUnits } from '#src/metering/settle-units';

const SIZE = { promptTokens: 100, contextTokens: 100, unitsMax: 0 };
const REGISTERED = { supply: 'selfhosted', isRegistered: true } as const;

function reply(over: Partial<Usage>, answer: Partial<UnitReply> = { json: { data: [] } }): UnitReply {
  const usage: Usage = {
    source: 'reported',
    promptTokens: 100,
    completionTokens: 0,
    reasoningTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    ...over,
  };
  return { upstreamId: null, json: null, text: null, bytes: null, units: null, ...answer, usage };
}

describe('what a unit operation used', () => {
  it('M14: has no answer tokens by an operator’s word alone', () => {
    const lie = reply({ completionTokens: 90_000_000, reasoningTokens: 90_000_000, cacheWriteTokens: 100 });
    expect(settleUnits(lie, SIZE, REGISTERED)).toMatchObject({
      promptTokens: 100,
      completionTokens: 0,
      reasoningTokens: 0,
      cacheWriteTokens: 0,
    });
    expect(settleUnits(lie, SIZE, { supply: 'subnet' }).completionTokens).toBe(0);
    expect(settleUnits(lie, SIZE, { supply: 'centralized' }).completionTokens).toBe(90_000_000);
  });

  it('M14: has no more answer tokens than the text that came has characters', () => {
    const answers: Partial<UnitReply>[] = [{ text: 'twelve chars' }, { json: { text: 'twelve chars' } }];
    for (const answer of answers) {
      expect(settleUnits(reply({ completionTokens: 4 }, answer), SIZE, REGISTERED).completionTokens).toBe(4);
      expect(settleUnits(reply({ completionTokens: 4_000 }, answer), SIZE, REGISTERED).completionTokens).toBe(12);
    }
  });
});
