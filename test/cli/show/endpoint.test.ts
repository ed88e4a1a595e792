import { describe, expect, it } from 'vitest';
import { showEndpoint } from '#cli/show/endpoint';
import type { RegisteredEndpointBody } from '#schema/answers/operators';
import type { ModelComparison } from '#schema/probe';

const COMPARED: ModelComparison = {
  at: '2027-01-15T08:00:00.000Z',
  verdict: 'agrees',
  distance: 0.1,
  tolerance: 0.2,
  references: 2,
  differed: 0,
};

/** What the page says of the model. */
function modelLine(over: Partial<ModelComparison>): string {
  const endpoint = {
    id: 'rig',
    operator: 'alice',
    state: 'probation',
    reason: null,
    since: COMPARED.at,
    challenge: null,
    vouched: null,
    node: 'rig',
    model: 'm',
    upstream_model: 'm',
    declared: { engine: null, weights: 'fp8', kv_cache: 'fp8', context: 1, max_concurrency: null, capabilities: [] },
    price: null,
    expected: null,
    capacity: null,
    traffic_share: 0,
    seen: { findings: [], comparison: { ...COMPARED, ...over } },
  } as unknown as RegisteredEndpointBody;
  const line = showEndpoint(endpoint, (_, text) => text)
    .split('\n')
    .find((one) => one.startsWith('model is'));
  return line?.replace(/ \([^(]*\)$/, '').replace(/^model is +/, '') ?? '';
}

describe('what the page of an endpoint says of its model', () => {
  it.each<[string, Partial<ModelComparison>]>([
    ['what it says: distance 0.1 to 2 other endpoints, 0.2 at most', {}],
    [
      'another one than it says: parts at 0.6 of the words on which they agree from 2 other endpoints, 0.1 at most',
      { verdict: 'differs', by: 'text', distance: 0.6, tolerance: 0.1, differed: 1 },
    ],
    [
      'by rig-0, which stood in its place: another one than it says: distance 0.7 to one other endpoint, 0.2 at most',
      { verdict: 'differs', of: 'rig-0', distance: 0.7, references: 1, differed: 1 },
    ],
    ['not compared: no reference, after a difference', { verdict: 'no_reference', differed: 1 }],
    ['not compared: it did not answer', { verdict: 'unanswered' }],
  ])('%s', (line, over) => {
    expect(modelLine(over)).toBe(line);
  });
});
