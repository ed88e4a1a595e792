/** What a unit operation is here: a request that is understood, worked at for a while, and answered whole. */
import type { Fields } from '../body.ts';
import type { EndpointCard } from '../card.ts';
import type { Payload } from '../deliver.ts';

/** What is billed: tokens read, and images, searches, seconds or characters, whichever the operation counts. */
export interface UnitUsage {
  promptTokens: number;
  units: number;
}

/** Names an answer and who gave it. */
export interface UnitLabel {
  id: string;
  createdAtS: number;
  endpointId: string;
}

/** A request that was understood. */
export interface UnitJob {
  usage: UnitUsage;
  /** Steps of the endpoint's pace that the work takes once it has begun. */
  steps: number;
  /** Writes the answer; `usage` null leaves it out. */
  render(label: UnitLabel, usage: UnitUsage | null): Payload;
}

/** Understands the fields of a request. Throws a Complaint. Pure: no time, no sockets. */
export type UnitParser = (fields: Fields, card: EndpointCard, headers: Record<string, string | string[] | undefined>) => UnitJob;

/** Writes a JSON answer that says where it comes from. */
export function toJsonPayload(label: UnitLabel, body: Record<string, unknown>): Payload {
  return {
    contentType: 'application/json',
    body: JSON.stringify({ ...body, devnet: { simulated: true, endpoint: label.endpointId } }),
  };
}
