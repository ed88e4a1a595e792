/** Our router as a policy of the simulator: as many isolates as the run has, under one preset, perhaps with a part taken away. */
import type { ProviderWishes, ResolvedPolicy } from '#schema/policy';
import { resolvePolicy } from '#src/admission/resolve-policy';
import type { Policy } from '../contract.ts';
import { createBoard } from './board.ts';
import { startCanaries } from './canaries.ts';
import { createIsolate } from './isolate.ts';
import { createCatalogue } from './offers.ts';

interface Variant {
  name: string;
  description: string;
  wishes?: ProviderWishes;
  /** Parts that are taken away, to see what they are worth. */
  without?: 'board' | 'extrapolation' | 'affinity' | 'canaries' | 'node-load';
}

const VARIANTS: readonly Variant[] = [
  { name: 'headrace', description: 'ours, balanced: the default policy' },
  { name: 'headrace-price', description: 'ours, optimize: price', wishes: { optimize: 'price' } },
  { name: 'headrace-latency', description: 'ours, optimize: latency', wishes: { optimize: 'latency' } },
  { name: 'headrace-throughput', description: 'ours, optimize: throughput', wishes: { optimize: 'throughput' } },
  { name: 'headrace-hedge', description: 'ours, balanced with hedging', wishes: { hedge: true } },
  { name: 'headrace-no-resume', description: 'ours without resuming broken streams', wishes: { resume: false } },
  { name: 'headrace-no-board', description: 'ours, every isolate for itself', without: 'board' },
  { name: 'headrace-no-extrapolation', description: 'ours, own load not taken times the isolates', without: 'extrapolation' },
  { name: 'headrace-no-canaries', description: 'ours without scheduled probes', without: 'canaries' },
  { name: 'headrace-no-node-load', description: 'ours, deaf to what nodes say of their capacity and load', without: 'node-load' },
  { name: 'headrace-no-affinity', description: 'ours without prompt-cache affinity', without: 'affinity' },
];

/** Our policies, the default first, those with a part taken away last. */
export const HEADRACE_POLICIES: readonly Policy[] = VARIANTS.map(toPolicy);

function toPolicy({ name, description, wishes = {}, without }: Variant): Policy {
  return {
    name,
    description,
    isAsync: true,
    open(stage) {
      const policy = resolve(wishes);
      const hearsNodes = without !== 'node-load';
      const toEntries = createCatalogue({ tellsCapacity: hearsNodes });
      const board = without === 'board' ? null : createBoard(stage, { extrapolates: without !== 'extrapolation' });
      if (board !== null && without !== 'canaries') startCanaries(stage, { board, toEntries });
      const isolates = Array.from({ length: stage.isolates }, (_, place) =>
        createIsolate(stage, { place, policy, keepsAffinity: without !== 'affinity', hearsNodes, toEntries, board }),
      );
      return {
        serve(request, isolate, client) {
          const served = isolates[isolate]?.serve(request, client) ?? Promise.reject(new Error(`there is no isolate ${isolate}`));
          served.catch(stage.abort);
        },
      };
    },
  };
}

function resolve(wishes: ProviderWishes): ResolvedPolicy {
  return resolvePolicy({ policies: new Map(), defaultName: null }, { team: null, key: null, request: null }, [wishes]);
}
