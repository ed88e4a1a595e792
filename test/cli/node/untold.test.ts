import { describe, expect, it } from 'vitest';
import { modelNamed } from '#cli/node/engines/engine';
import { llamaServer } from '#cli/node/engines/llama-server';
import { ollama } from '#cli/node/engines/ollama';
import { sayUntold } from '#cli/node/untold';

const told = modelNamed('told', { kvCache: 'fp8', capacity: { poolTokens: 4_096, maxSequences: 4 } });

describe('what an engine does not tell', () => {
  it('is said in one line, each with its flag', () => {
    const shared = { ...told, poolSource: 'least' } as const;
    expect(sayUntold(llamaServer, [told, shared], false)).toBe(
      'llama.cpp does not tell whether its slots share one cache, so one slot’s context is all that is promised (--kv-pool): say what you know',
    );
    expect(sayUntold(ollama, [modelNamed('m')], false)).toBe(
      'Ollama does not tell how its KV cache is stored (--kv-cache), nor how many tokens fit (--kv-pool), nor how many requests it runs at once (--max-concurrency): say what you know',
    );
  });

  it('is nothing where it tells all of it, or its operator has', () => {
    const uncounted = { ...told, capacity: { poolTokens: 4_096, maxSequences: null } };
    expect(sayUntold(llamaServer, [told, { ...told, poolSource: 'declared' }], false)).toBeNull();
    expect(sayUntold(llamaServer, [uncounted], false)).toBeNull();
    expect(sayUntold(ollama, [uncounted], true)).toBeNull();
  });
});
