/** The client's answer when a plan has no candidate: which filter excluded how many, and whether waiting helps. */
import { GatewayError } from '#schema/error';
import { FILTER_SUBJECTS } from './filter-subjects.ts';
import type { HardFilter } from './filters.ts';
import type { Plan } from './plan.ts';

/** Distinct reasons that are told for one filter. */
const REASONS_MAX = 3;

/**
 * Builds the error for an empty plan: 404 when no supply of the model can ever match, 400 when it would match a shorter prompt, 503 with
 * `Retry-After` when matching supply exists but cannot be asked now.
 */
export function refusal(model: string, plan: Plan): GatewayError {
  const { rejections } = plan.record();
  const excluded = Object.entries(plan.rejectionCounts).map(([filter, endpoints]) => ({
    filter,
    subject: FILTER_SUBJECTS[filter as HardFilter],
    endpoints,
    reasons: [...new Set(rejections.flatMap((one) => (one.filter === filter ? [one.reason] : [])))].slice(0, REASONS_MAX),
  }));
  const counts = excluded
    .map(({ filter, subject, endpoints, reasons: [reason] }) => `${endpoints} by ${filter} ${subject}${reason ? ` (${reason})` : ''}`)
    .join('; ');
  const metadata = { excluded_by: excluded };
  if (plan.blockedNow) {
    return new GatewayError(
      'no_endpoint_available',
      `Every endpoint of ${model} that matches the request is unavailable now. Retry shortly.`,
      {
        retryAfterS: Math.max(1, Math.ceil((plan.retryAfterMs ?? 1000) / 1000)),
        metadata,
      },
    );
  }
  if (plan.promptTooLong) {
    return new GatewayError('context_length_exceeded', `The prompt is too long for every endpoint of ${model}: excluded: ${counts}.`, {
      param: 'messages',
      metadata,
    });
  }
  const why = counts === '' ? 'nothing offers it in this deployment' : `excluded: ${counts}`;
  return new GatewayError('no_eligible_endpoint', `No endpoint of ${model} can serve this request: ${why}.`, { param: 'model', metadata });
}
