import { describe, expect, it } from 'vitest';
import type { UnitOperation } from '#schema/skin';
import { unitFacts } from '#src/admission/unit-facts';

const factsOf = (operation: UnitOperation, unitsMax: number) =>
  unitFacts({ size: { promptTokens: 90, contextTokens: 40, unitsMax } }, { teamId: 'team', freeOnly: false, operation });

describe('facts of a unit operation', () => {
  it.each([
    ['embeddings', 0, 0],
    ['rerank', 3, 0],
    ['images', 4, 4],
    ['speech', 12, 1],
    ['transcription', 60, 1],
  ] as const)('%s of %i units may generate %i outputs that are billed by the token', (operation, unitsMax, choices) => {
    expect(factsOf(operation, unitsMax)).toMatchObject({
      operation,
      choices,
      promptTokens: 90,
      contextTokens: 40,
      needs: [],
      stream: false,
    });
  });

  it('units are stated only where they are billed', () => {
    expect(factsOf('images', 4)).toHaveProperty('unitsMax', 4);
    expect(factsOf('embeddings', 0)).not.toHaveProperty('unitsMax');
  });
});
