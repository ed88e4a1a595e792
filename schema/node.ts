/** GPU nodes: what one says of itself when it joins. */
import { z } from 'zod';
import { capability, kvCodec, quantization } from './catalog.ts';
import { nodeCapacity, nodeSpeed } from './node-service.ts';

/** Inference engines that are told apart; `openai` stands for anything else that speaks OpenAI's API. */
export const ENGINES = ['vllm', 'sglang', 'llama-cpp', 'ollama', 'tgi', 'lmdeploy', 'tabbyapi', 'openai'] as const;
export const engineName = z.enum(ENGINES);
export type EngineName = z.infer<typeof engineName>;

/** Name of a node: it stands in URLs, in endpoint ids and in `tunnel:` addresses. */
export const nodeId = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, `.`, `_` or `-`, starting with a letter or digit');

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
