import { describe, expect, it } from 'vitest';
import type { Attempt } from '#schema/attempt';
import type { PlanRecord } from '#schema/receipt';
import { toRouterMetadata } from '#src/metering/router-metadata';

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
