/**
 * How loaded a node is, as its NodeLink tells the health boards. It is told to the board named LOAD_REGISTRY (`HealthBoard.reportLoad`),
 * which passes it on to the boards of the models concerned.
 */
import { z } from 'zod';
import { nodeLoad } from './node-service.ts';

/** The board that passes reports of load on. */
export const LOAD_REGISTRY = 'registry';

/** Older than this, what a node has said of its load says nothing any more: it is unknown, never zero. */
export const NODE_LOAD_FRESH_MS = 15_000;

/** The most endpoints of one report. */
const ENDPOINTS_MAX = 200;

const id = z.string().min(1).max(200);

/** One node's load for each endpoint that stands on it. */
export const nodeLoadReport = z.object({
  /** Null: the link is gone, or the node no longer says. */
  load: nodeLoad.nullable(),
  /** Milliseconds since the node said so. */
  ageMs: z.number().min(0).max(86_400_000),
  /** As the catalogue names them; `modelId` is what callers name. */
  endpoints: z.array(z.object({ endpointId: id, modelId: id, operatorId: id })).max(ENDPOINTS_MAX),
});
export type NodeLoadReport = z.infer<typeof nodeLoadReport>;
