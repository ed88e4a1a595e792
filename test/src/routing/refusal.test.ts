import { describe, expect, it } from 'vitest';
import type { Plan } from '#src/routing/plan';
import { refusal } from '#src/routing/refusal';

function planOf(over: Partial<Plan>, rejections: { filter: string; reason: string }[] = []): Plan {
  const record = () => ({ rejections });
  return {
    record,
    candidates: [],
    method: 'index',
    relaxed: [],
    rejectionCounts: {},
    blockedNow: false,
    retryAfterMs: null,
    ...over,
  } as unknown as Plan;
}

describe('a plan without candidates', () => {
  it('is a 404 that says which filter excluded how many, when waiting cannot help', () => {
    const error = refusal('lab/model', planOf({ rejectionCounts: { H1: 3, H6: 1 } }));
    expect(error).toMatchObject({ code: 'no_eligible_endpoint', status: 404, param: 'model', retryAfterS: undefined });
    expect(error.message).toBe('No endpoint of lab/model can serve this request: excluded: 3 by H1 privacy tier; 1 by H6 price.');
    expect(error.toBody().error.metadata).toMatchObject({
      excluded_by: [
        { filter: 'H1', subject: 'privacy tier', endpoints: 3 },
        { filter: 'H6', subject: 'price', endpoints: 1 },
      ],
    });
  });

  it('H4: names what is missing', () => {
    const reason = 'does not support embeddings';
    const rejections = [
      { filter: 'H4', reason },
      { filter: 'H4', reason },
    ];
    const error = refusal('lab/model', planOf({ rejectionCounts: { H4: 2 } }, rejections));
    expect(error.message).toContain('2 by H4 capabilities (does not support embeddings)');
    expect(error.metadata).toMatchObject({ excluded_by: [{ filter: 'H4', reasons: [reason] }] });
  });

  it('is a 400 that clients know how to heal, when the prompt is too long', () => {
    const error = refusal('lab/model', planOf({ promptTooLong: true, rejectionCounts: { H5: 2 } }));
    expect(error).toMatchObject({ code: 'context_length_exceeded', status: 400, param: 'messages' });
    expect(error.message).toBe('The prompt is too long for every endpoint of lab/model: excluded: 2 by H5 context and output room.');
  });

  it('is a 404 where nothing offers the model', () => {
    expect(refusal('lab/model', planOf({}))).toMatchObject({ status: 404, message: expect.stringContaining('nothing offers it') });
  });

  it.each([
    [null, 1],
    [0, 1],
    [1001, 2],
    [60_000, 60],
  ])('R5: is a 503 when supply exists but cannot be asked now; %s ms become Retry-After %i', (retryAfterMs, retryAfterS) => {
    const error = refusal('lab/model', planOf({ blockedNow: true, retryAfterMs, rejectionCounts: { H7: 1 } }));
    expect(error).toMatchObject({ code: 'no_endpoint_available', status: 503, retryAfterS });
  });
});
