import { describe, expect, it } from 'vitest';
import { createCandidateQueue } from '#src/dispatch/candidate-queue';
import { offerOf } from '#test/support/offers';
import { candidateOf } from './candidates.ts';

/** Candidates named operator and number, as in `x1`; a precedence may follow: `x1:2`. */
const listed = (...names: string[]) =>
  names.map((name) => {
    const [id = '', precedence = '0'] = name.split(':');
    return candidateOf(offerOf(id, { operatorId: id.slice(0, 1), context: 1000 * Number(id.slice(1)) }), {
      precedence: Number(precedence),
    });
  });

/** Takes all, as if each failed so. */
function drain(names: string[], { fixedOrder = false, step = 'fallback' as 'fallback' | 'larger_context' } = {}): string[] {
  const queue = createCandidateQueue(listed(...names), fixedOrder);
  const taken: string[] = [];
  for (let one = queue.next(); one !== null; one = queue.next()) {
    taken.push(one.offer.endpointId);
    queue.learn(one.offer, step);
  }
  return taken;
}

describe('the order of fallbacks', () => {
  it("puts other operators before the siblings of those that failed, the primary's and the fallbacks' alike", () => {
    expect(drain(['x1', 'y1', 'y2', 'z1', 'x2'])).toEqual(['x1', 'y1', 'z1', 'y2', 'x2']);
  });

  it('comes back to siblings when every operator has failed', () => {
    expect(drain(['x1', 'x2', 'x3'])).toEqual(['x1', 'x2', 'x3']);
  });

  it('is changed only among those that the policy and the gates treat alike', () => {
    expect(drain(['x1', 'x2', 'y1:1', 'z1:1'])).toEqual(['x1', 'x2', 'y1', 'z1']);
    expect(drain(['x1', 'y1:1', 'y2:1', 'z1:1'])).toEqual(['x1', 'y1', 'z1', 'y2']);
  });

  it("is the caller's where the caller has given one", () => {
    expect(drain(['x1', 'x2', 'y1'], { fixedOrder: true })).toEqual(['x1', 'x2', 'y1']);
  });

  it('R17: a context that was too small says nothing of its operator and rules out all that are no larger', () => {
    expect(drain(['x2', 'y1', 'x3', 'y2', 'y4'], { step: 'larger_context' })).toEqual(['x2', 'x3', 'y4']);
  });
});

describe('a candidate that is taken out of turn', () => {
  it('does not come again', () => {
    const queue = createCandidateQueue(listed('x1', 'y1', 'z1'), false);
    expect(queue.take(({ offer }) => offer.operatorId === 'y')?.offer.endpointId).toBe('y1');
    expect([queue.next(), queue.next(), queue.next()].map((one) => one?.offer.endpointId)).toEqual(['x1', 'z1', undefined]);
    expect(queue.isEmpty()).toBe(true);
  });

  it('is the first that passes, and nobody after it is tested', () => {
    const queue = createCandidateQueue(listed('x1', 'y1', 'z1'), false);
    const tested: string[] = [];
    queue.take(({ offer }) => tested.push(offer.operatorId) === 2);
    expect(tested).toEqual(['x', 'y']);
    expect(queue.take(() => false)).toBeNull();
  });
});
