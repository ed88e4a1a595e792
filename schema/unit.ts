/** Operations that are answered whole and billed by the unit: what goes upstream and what comes back. */
import type { Usage } from './receipt.ts';

/** A file of a form, such as audio to transcribe. */
export interface UnitFile {
  /** Form field, `file`. */
  field: string;
  name: string;
  contentType: string;
  bytes: Uint8Array;
}

/** A request for a unit operation without its model: fields as JSON, or as a form when there is a file. What is the router's own stays behind. */
export interface UnitBody {
  fields: Readonly<Record<string, unknown>>;
  file: UnitFile | null;
}

/** Bytes of a binary answer, as the upstream sends them. */
export interface UnitBytes {
  contentType: string;
  stream: ReadableStream<Uint8Array>;
}

/**
 * An upstream's answer. Exactly one of `json`, `text` and `bytes` is set.
 * `usage` is null when the upstream reported none; `units` likewise.
 */
export interface UnitReply {
  upstreamId: string | null;
  json: Record<string, unknown> | null;
  text: string | null;
  bytes: UnitBytes | null;
  usage: Usage | null;
  units: number | null;
}
