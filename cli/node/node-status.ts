/** How a running node stands, and what happens to it. */
import type { NodeLoad } from '#schema/node-service';
import type { LinkEvent } from './link/keep-link.ts';

/** What a node has done since it began, and how it stands. */
export interface NodeStatus {
  linked: boolean;
  /** Why it can serve nothing now; null where it can. */
  trouble: string | null;
  /** Whether it takes nothing new because this process is about to end. */
  draining: boolean;
  /** Null while the engine is gone. */
  load: NodeLoad | null;
  /** Requests under way through this node. */
  streams: number;
  served: number;
  failed: number;
  completionTokens: number;
}

/** What whoever runs a node is told of. */
export type NodeEvent =
  | Exclude<LinkEvent, { type: 'began' | 'ended' | 'broken' }>
  | { type: 'engine'; there: boolean }
  | { type: 'load'; load: NodeLoad | null }
  /** The engine is another one than it was, or can serve nothing, or can again. */
  | { type: 'changed'; models: readonly string[]; version: string | null; trouble: string | null }
  | { type: 'draining'; streams: number };
