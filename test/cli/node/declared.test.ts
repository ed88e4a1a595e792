import { describe, expect, it } from 'vitest';
import { readDeclared, withDeclared } from '#cli/node/declared';
import { modelNamed } from '#cli/node/engines/engine';

const declared = readDeclared({ kvCache: 'q8_0', kvPool: 40_960 });

describe('what an operator says of the KV cache', () => {
  it('fills in what the engine does not tell, and is marked', () => {
    const facts = withDeclared(modelNamed('m', { context: 8_192 }), declared);
    expect(facts).toMatchObject({ kvCache: 'q8_0', isCodecDeclared: true, capacity: { poolTokens: 40_960 }, poolSource: 'declared' });
  });

  it('stands above the least that fits, up to what slots hold that share nothing', () => {
    const least = modelNamed('m', { context: 16_384, capacity: { poolTokens: 16_384, maxSequences: 4 }, poolSource: 'least' });
    expect(withDeclared(least, declared).capacity.poolTokens).toBe(40_960);
    expect(withDeclared(least, { ...declared, poolTokens: 1_000_000 }).capacity.poolTokens).toBe(65_536);
  });

  it('counts for nothing where the engine tells, and where nothing is said', () => {
    const told = modelNamed('m', { kvCache: 'fp8', capacity: { poolTokens: 1_000, maxSequences: null } });
    expect(withDeclared(told, declared)).toEqual(told);
    expect(withDeclared(modelNamed('m'), readDeclared({}))).toEqual(modelNamed('m'));
  });
});
