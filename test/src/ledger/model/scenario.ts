/** What the model checker explores. */
import type { Quota, QuotaSize } from '#schema/quota';

/** What befalls the world beside requests. */
export type Fault = 'lose' | 'repeat' | 'wait' | 'die' | 'bypass' | 'pay';

/** What one request takes: its hold, and what it uses of each quota in the end. */
export interface Load {
  size: QuotaSize;
  used: readonly number[];
}

/** A small world, and what may happen in it. */
export interface Scenario {
  quotas: readonly Quota[];
  /** The requests of each isolate. */
  loads: readonly (readonly Load[])[];
  /** How often each fault may strike. */
  faults: Partial<Record<Fault, number>>;
  /** How far time moves when it does. */
  waitMs?: number;
  /** What a payment adds to the prepaid balance. */
  payment?: number;
  /** Default: the beginning of a minute, at noon. */
  startMs?: number;
}

/** What a settled request, `isolate:request`, has used of a quota. */
export function usedBy({ loads }: Scenario, settled: string, quota: number): number {
  const [place = 0, request = 0] = settled.split(':').map(Number);
  return loads[place]?.[request]?.used[quota] ?? 0;
}

/** Looks at something that is there. */
export function found<Thing>(thing: Thing | undefined): Thing {
  if (thing === undefined) throw new Error('the model looks for something that is not there');
  return thing;
}
