import { describe, expect, it } from 'vitest';
import type { ChatChoice } from '#schema/chat';
import { NOTHING_USED } from '#schema/receipt';
import { toAnswerBody } from '#src/skins/chat/answer-body';
import { toUsageBody } from '#src/skins/usage-body';

const SETTLEMENT = { usage: NOTHING_USED, chargedNanoUsd: 0, promptNanoUsd: 0, endedAtS: 2, routerMetadata: null };
const LABELS = { id: 'gen-1', createdAtS: 1, model: 'm/x', provider: 'P' };
const body = (choices: ChatChoice[], extra: Record<string, unknown> = {}): Record<string, unknown> =>
  toAnswerBody(LABELS, { upstreamId: 'up-1', choices, usage: null, extra }, SETTLEMENT) as Record<string, unknown>;

describe('a whole answer', () => {
  it('has exactly the fields that strict clients accept', () => {
    const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }];
    expect(body(choices)).toEqual({
      id: 'gen-1',
      object: 'chat.completion',
      created: 1,
      model: 'm/x',
      provider: 'P',
      system_fingerprint: null,
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          native_finish_reason: 'stop',
          logprobs: null,
          message: { role: 'assistant', content: 'hi', refusal: null },
        },
      ],
      usage: toUsageBody(SETTLEMENT),
    });
  });

  it('T14: keeps unknown fields, logprobs, reasoning, native reasons and every choice', () => {
    const choices: ChatChoice[] = [
      {
        index: 0,
        finish_reason: 'length',
        native_finish_reason: 'max_tokens',
        logprobs: { content: [] },
        seen: 1,
        message: { content: 'a', reasoning: 'hm', custom: [1] },
      },
      { index: 1, finish_reason: 'stop', message: { content: null, tool_calls: [{ id: 'c' }] } },
    ];
    expect(body(choices, { service_tier: 'flex', system_fingerprint: 'fp' })).toMatchObject({
      service_tier: 'flex',
      system_fingerprint: 'fp',
      choices: [{ ...choices[0] }, { index: 1, message: { content: null, tool_calls: [{ id: 'c' }] } }],
    });
  });

  it('T8: carries our id although the upstream has its own', () => {
    expect(JSON.stringify(body([{ index: 0, finish_reason: 'stop', message: { content: 'a' } }]))).not.toContain('up-1');
  });
});
