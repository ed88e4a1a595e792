import { describe, expect, it } from 'vitest';
import { modelNamed } from '#cli/node/engines/engine';
import { sayMeasured } from '#cli/node/show-benchmark';
import { plain } from '#cli/output';

const show = (streams: number) => {
  const measured = { ttftMs: 100, tpotMs: 10, throughput: { streams, tokensPerSecond: 250 } };
  return sayMeasured(modelNamed('a'), { measured, predicted: undefined }, { width: 80, paint: plain });
};

describe('what a benchmark has measured', () => {
  it('tells of several requests together', () => expect(show(4)).toMatch(/^4 requests together +250 tokens\/s$/m));
  it('does not call a request alone together with itself', () => expect(show(1)).not.toContain('together'));
});
