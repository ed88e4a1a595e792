/** What a caller is told when a quota has no room. Says whose it is and when it begins anew, never how much others spend. */
import { GatewayError } from '#schema/error';
import type { Cap, Quota, QuotaSize } from '#schema/quota';
import type { Room } from './account-port.ts';
import { ownerOf } from './quota-id.ts';
import { amountOf } from './team-leases.ts';
import { resetsInMs } from './window.ts';

const SECOND_MS = 1000;

/** How callers know the limits. */
const LIMITS = {
  requests: { limit: 'requests_per_minute', text: 'requests per minute' },
  tokens: { limit: 'tokens_per_minute', text: 'tokens per minute' },
  slots: { limit: 'concurrent', text: 'requests at once' },
} as const;

/** Builds the error for a request of this size that a quota has no room for. `insufficient_budget` (402) for money, else `limit_exceeded` (429). */
export function refusalOf(quota: Quota, room: Room | null, size: QuotaSize, nowMs: number): GatewayError {
  const { unit } = quota;
  const of = ownerOf(quota.id);
  const cap = room?.cap ?? quota.caps[0] ?? { amount: 0, period: 'total' };
  if (unit === 'nano_usd') return insufficientBudget(of, cap, room?.prepaid === true, size.nanoUsd > cap.amount, nowMs);

  const { limit, text } = LIMITS[unit];
  const metadata = { limit, of, amount: cap.amount };
  const own = of === 'team' ? "The team's" : "This key's";
  const asked = amountOf(unit, size);
  if (asked > cap.amount) {
    const message = `${own} limit of ${cap.amount} ${text} can never take this request, which may need ${asked} ${unit}. Ask for less, such as fewer output tokens.`;
    return new GatewayError('limit_exceeded', message, { metadata });
  }
  const waitMs = unit === 'slots' ? SECOND_MS : resetsInMs(cap.period, nowMs);
  return new GatewayError('limit_exceeded', `${own} limit of ${cap.amount} ${text} is reached. Try again ${whenText(unit, waitMs)}.`, {
    retryAfterS: Math.max(1, Math.ceil(waitMs / SECOND_MS)),
    metadata,
  });
}

function insufficientBudget(of: 'team' | 'key', cap: Cap, isPrepaid: boolean, isTooSmall: boolean, nowMs: number): GatewayError {
  const waitMs = resetsInMs(cap.period, nowMs);
  const resetsAt = waitMs === 0 ? null : new Date(nowMs + waitMs).toISOString();
  const own = of === 'team' ? "The team's" : "This key's";
  const what = isPrepaid ? 'credits' : cap.period === 'total' ? 'budget' : `budget for this ${cap.period}`;
  const never = isTooSmall ? ', however little of it is spent' : '';
  const anew = resetsAt === null || isTooSmall ? '' : ` It begins anew at ${resetsAt}.`;
  const more = isPrepaid ? 'add credits' : 'raise the budget';
  return new GatewayError(
    'insufficient_budget',
    `${own} ${what} ${isPrepaid ? 'do' : 'does'} not cover the worst case of this request${never}.${anew} Ask for less (such as fewer output tokens), choose a cheaper model, or ${more}.`,
    { metadata: { limit: isPrepaid ? 'credits' : 'budget', of, per: cap.period, resets_at: resetsAt } },
  );
}

function whenText(unit: Quota['unit'], waitMs: number): string {
  return unit === 'slots' ? 'when one of them has ended' : `in ${Math.max(1, Math.ceil(waitMs / SECOND_MS))} s`;
}
