/** How a node's link stands, for whoever asks its object. */
import type { NodeDescription } from '#schema/node';
import type { NodeLoad } from '#schema/node-service';
import type { LinkedNode } from './linked-node.ts';

/** How a link stands. */
export interface LinkStatus {
  linked: boolean;
  linkedAtMs: number | null;
  draining: boolean;
  /** Why the node can serve nothing now; null where it can. */
  trouble: string | null;
  /** Requests under way. */
  streams: number;
  load: NodeLoad | null;
  loadAgeMs: number | null;
  /** What the node last said of itself. */
  description: NodeDescription | null;
}

/** Reads how a link stands; null: there is none. */
export function statusOf(linked: LinkedNode | null, description: NodeDescription | null, nowMs: number): LinkStatus {
  return {
    linked: linked !== null,
    linkedAtMs: linked?.linkedAtMs ?? null,
    draining: linked?.isDraining ?? false,
    trouble: linked?.trouble ?? null,
    streams: linked?.session.streams ?? 0,
    load: linked?.told?.load ?? null,
    loadAgeMs: linked?.told ? Math.max(0, nowMs - linked.told.atMs) : null,
    description,
  };
}
