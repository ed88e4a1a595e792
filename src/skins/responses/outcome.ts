/** How an answer ended, in this API's words. */
import type { GatewayError } from '#schema/error';
import { errorTable } from '#schema/error';
import type { ItemStatus } from './items.ts';

export interface Outcome {
  status: 'in_progress' | 'completed' | 'incomplete' | 'failed';
  error: { code: string; message: string } | null;
  incomplete_details: { reason: string } | null;
  /** OpenRouter's name of the failure. */
  error_type?: string;
}

export const IN_PROGRESS: Outcome = { status: 'in_progress', error: null, incomplete_details: null };
const COMPLETED: Outcome = { status: 'completed', error: null, incomplete_details: null };

/** Tells what a chat finish reason means: `length` and `content_filter` cut the answer, `error` failed it, any other completes it. */
export function outcomeOf(finishReason: string | null): Outcome {
  if (finishReason === 'length') return cut('max_output_tokens');
  if (finishReason === 'content_filter') return cut('content_filter');
  if (finishReason !== 'error') return COMPLETED;
  const error = { code: 'server_error', message: 'The model ended its answer with an error.' };
  return { status: 'failed', error, incomplete_details: null, error_type: errorTable.upstream_failed.errorType };
}

/** Words an error as a failed answer. OpenAI has few codes for it: the caller's doing, too many requests, or ours. */
export function failureOf(error: GatewayError): Outcome {
  const { status, errorType } = errorTable[error.code];
  const code = status === 429 ? 'rate_limit_exceeded' : status < 500 ? 'invalid_prompt' : 'server_error';
  return { status: 'failed', error: { code, message: error.message }, incomplete_details: null, error_type: errorType };
}

/** The status of the last item of such an answer. */
export function lastItemStatus({ status }: Outcome): ItemStatus {
  return status === 'completed' ? 'completed' : 'incomplete';
}

function cut(reason: string): Outcome {
  return { status: 'incomplete', error: null, incomplete_details: { reason } };
}
