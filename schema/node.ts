/** GPU nodes: what one says of itself when it joins, what it reports while it serves, and what is expected of it. */
import { z } from 'zod';
import { capability, kvCodec, quantization } from './catalog.ts';

/** Inference engines that are told apart; `openai` stands for anything else that speaks OpenAI's API. */
export const ENGINES = ['vllm', 'sglang', 'llama-cpp', 'ollama', 'tgi', 'lmdeploy', 'tabbyapi', 'openai'] as const;
export const engineName = z.enum(ENGINES);
export type EngineName = z.infer<typeof engineName>;

/** Name of a node: it stands in URLs, in endpoint ids and in `tunnel:` addresses. */
export const nodeId = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, `.`, `_` or `-`, starting with a letter or digit');

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

/** A model as a node serves it. */
export const nodeModel = z.strictObject({
  upstreamModel: z.string().min(1).max(300).describe('What the engine calls it.'),
  context: z.int().positive().max(100_000_000).nullable(),
  quantization: quantization.default('unknown'),
  kvCache: kvCodec.default('unknown'),
  capabilities: z.array(capability).max(50).default([]),
  capacity: nodeCapacity,
  /** What the node has measured of itself; null where it has not. */
  measured: nodeSpeed.nullable(),
  /** What the capacity model expects of it; null where GPU or model are unknown. */
  predicted: nodeSpeed.nullable(),
});
export type NodeModel = z.infer<typeof nodeModel>;

/** What a node says of itself. Operators' words: probes check them. */
export const nodeDescription = z.strictObject({
  agentVersion: z.string().max(40),
  engine: z.strictObject({ name: engineName, version: z.string().max(60).nullable() }),
  gpu: z
    .strictObject({ name: z.string().min(1).max(64), count: z.int().positive().max(1024), memoryBytes: z.int().positive().nullable() })
    .nullable(),
  models: z.array(nodeModel).min(1).max(50),
});
export type NodeDescription = z.infer<typeof nodeDescription>;

/** Why a node can serve nothing now, for people: `its engine does not answer`. */
export const nodeTrouble = z.string().min(1).max(200);

/** What is expected of an endpoint until its requests say better, and what it holds; the catalogue carries it on offers. */
export interface ExpectedService {
  /** Normalised to a 1,150-token prompt. Null: nothing is known. */
  ttftMs: number | null;
  tpotMs: number | null;
  /** `probe`: the router has measured it. `node`: the node has. `model`: computed from its GPU, weights and codec. */
  source: 'probe' | 'node' | 'model';
}
