/** Slots of llama.cpp's server: how much they hold, and how loaded they are. */
import { readGauges, type GaugedLoad } from '#src/nodes/loads/engine-gauges';
import { readSamples } from '#src/nodes/loads/prometheus';
import { jsonAt, objectAt, textAt, toCount, toFields, toList, toSize, type Answers, type Fields } from './answers.ts';
import type { EngineLoad, LoadSurface } from './engine.ts';
import { toLoad } from './load.ts';

/** Slots that a server makes unless it is told how many (`--parallel`); these share one cache. */
export const SLOTS_DEFAULT = 4;

/** How much fits; null where nothing tells. */
export interface SlotRoom {
  /** Tokens that one slot takes at most. */
  context: number | null;
  poolTokens: number | null;
  maxSequences: number | null;
  /** Whether more may fit than `poolTokens`. */
  isLeast: boolean;
}

/**
 * Reads from `/props` how much fits. llama-server says on no surface whether its slots share one cache, each as long as all of it (`-kvu`), or have
 * a part each. One slot's context fits in any case, and no more is promised: a shared cache that overflows ends every answer that is under way.
 */
export function readRoom(props: Fields | null): SlotRoom {
  const maxSequences = toSize(props?.total_slots);
  const context = toSize(toFields(props?.default_generation_settings)?.n_ctx);
  if (context === null || maxSequences === null) return { context, poolTokens: null, maxSequences, isLeast: false };
  const isSplit = props?.kv_unified === false;
  const isLeast = maxSequences > 1 && typeof props?.kv_unified !== 'boolean';
  return { context, poolTokens: isSplit ? context * maxSequences : context, maxSequences, isLeast };
}

/** Where the server tells its load: metrics, where they are on, and its slots. */
export const slotLoad: LoadSurface = {
  asks: ['/props', '/metrics'],
  asksThen(answers) {
    const props = objectAt(answers, '/props');
    // A question for its slots wakes a server that sleeps, and one that runs nothing has nothing to tell of them.
    const isQuiet = props?.is_sleeping === true || gaugesOf(answers).running === 0;
    return isQuiet || props?.role === 'router' ? [] : ['/slots'];
  },
  read(answers, declaredPool = null): EngineLoad | null {
    const props = objectAt(answers, '/props');
    const slots = toList(jsonAt(answers, '/slots'));
    const busy = slots.filter((slot) => slot.is_processing === true);
    const seen = slots.length > 0 ? busy.length : props?.is_sleeping === true ? 0 : null;
    const { running, waiting } = gaugesOf(answers);
    return toLoad({
      running: running ?? seen,
      waiting,
      kvUsage: slots.length === 0 ? null : readUsage(busy, declaredPool ?? readRoom(props).poolTokens),
    });
  },
};

function gaugesOf(answers: Answers): GaugedLoad {
  return readGauges(readSamples(textAt(answers, '/metrics') ?? ''), 'llama-cpp');
}

/** Counts what busy slots hold, read and written. What idle ones still hold makes room when it is needed. */
function readUsage(busy: readonly Fields[], poolTokens: number | null): number | null {
  const held = busy.map((slot) => toCount(slot.n_prompt_tokens));
  if (poolTokens === null || held.includes(null)) return null;
  return Math.min(1, held.reduce<number>((sum, tokens) => sum + (tokens ?? 0), 0) / poolTokens);
}
