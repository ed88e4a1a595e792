import { describe, expect, it } from 'vitest';
import type { Attempt } from '#schema/attempt';
import type { ChatChoice } from '#schema/chat';
import type { PlanRecord } from '#schema/receipt';
import { toAnswerBody } from '#src/metering/answer-body';
import { toRouterMetadata } from '#src/metering/router-metadata';

const LABELS = { id: 'gen-1', createdAtS: 1, model: 'm/x', provider: 'P' };
const body = (choices: ChatChoice[], extra: Record<string, unknown> = {}): Record<string, unknown> =>
  toAnswerBody(LABELS, { upstreamId: 'up-1', choices, usage: null, extra }, { usage: { prompt_tokens: 1 } }) as Record<string, unknown>;

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
      usage: { prompt_tokens: 1 },
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

describe('openrouter_metadata', () => {
  const plan = {
    model: 'm/x',
    method: 'index',
    candidates: [
      { provider: 'P', endpointId: 'a' },
      { provider: 'Q', endpointId: 'b' },
    ],
    rejections: [{}],
  } as unknown as PlanRecord;
  const tried = (endpointId: string, providerId: string, status: number | null) => ({ endpointId, providerId, status }) as Attempt;

  it('tells who was asked and who served', () => {
    expect(toRouterMetadata('m/x', plan, [tried('a', 'p', 500), tried('b', 'q', 200)], 12)).toMatchObject({
      strategy: 'direct',
      attempt: 2,
      endpoints: {
        total: 2,
        available: [
          { provider: 'P', selected: false },
          { provider: 'Q', selected: true },
        ],
      },
      attempts: [
        { provider: 'p', status: 500 },
        { provider: 'q', status: 200 },
      ],
      generation_time: 12,
    });
  });

  it('says 0 when no upstream was reached, and alias for another name', () => {
    expect(toRouterMetadata('gpt', plan, [], 0)).toMatchObject({ requested: 'gpt', strategy: 'alias', attempt: 0, attempts: [] });
  });
});
