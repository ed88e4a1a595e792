/** How a node's link stands, for whoever asks its object. */
import type { NodeDescription, NodeLoad } from '#schema/node';

/** How a link stands. */
export interface LinkStatus {
  linked: boolean;
  linkedAtMs: number | null;
  draining: boolean;
  /** Requests under way. */
  streams: number;
  load: NodeLoad | null;
  loadAgeMs: number | null;
  /** What the node last said of itself. */
  description: NodeDescription | null;
}
