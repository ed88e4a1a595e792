/** How loaded a node is, how much it holds, how fast it is, and what is expected of it. */
import { z } from 'zod';

const count = z.int().nonnegative().max(1e9);
/** Milliseconds; a node that claims more than ten minutes claims nothing. */
const durationMs = z.number().nonnegative().max(600_000);

/** How loaded an engine is at one instant, the tuple that vLLM, SGLang and the Kubernetes inference extension share. */
export const nodeLoad = z.strictObject({
  running: count.describe('Requests that generate now.'),
  waiting: count.describe('Requests that the engine has queued.'),
  kvUsage: z.number().min(0).max(1).nullable().describe('Share of the KV cache in use; null where the engine does not say.'),
});
export type NodeLoad = z.infer<typeof nodeLoad>;

/** How much an engine can hold. Null where nothing says so. */
export const nodeCapacity = z.strictObject({
  poolTokens: count.nullable().describe('Tokens that the KV cache holds, all sequences together.'),
  maxSequences: count.nullable().describe('Sequences that the engine runs at once.'),
});
export type NodeCapacity = z.infer<typeof nodeCapacity>;

/** Speed of one request alone, and of several at once. */
export const nodeSpeed = z.strictObject({
  /** Time to first token of a 1,150-token prompt. */
  ttftMs: durationMs.nullable(),
  /** Milliseconds per output token of one request alone. */
  tpotMs: durationMs.nullable(),
  /** Output tokens per second of `streams` requests together. */
  throughput: z.strictObject({ streams: count, tokensPerSecond: z.number().nonnegative().max(1e7) }).nullable(),
});
export type NodeSpeed = z.infer<typeof nodeSpeed>;

/** What is expected of an endpoint until its requests say better, and what it holds; the catalogue carries it on offers. */
export interface ExpectedService {
  /** Normalised to a 1,150-token prompt. Null: nothing is known. */
  ttftMs: number | null;
  tpotMs: number | null;
  /** `probe`: the router has measured it. `node`: the node has. `model`: computed from its GPU, weights and codec. */
  source: 'probe' | 'node' | 'model';
}
