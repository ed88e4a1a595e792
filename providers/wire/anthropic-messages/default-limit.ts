import type { DialectTarget } from '#providers/provider';

/** The API refuses requests without a limit; this one stands when neither the caller nor the offer names any. */
const MAX_TOKENS_DEFAULT = 4096;

/** Gives the output limit to send where the caller named none. */
export function defaultLimit({ quirks, maxOutput }: Pick<DialectTarget, 'quirks' | 'maxOutput'>): number {
  return quirks.defaultMaxTokens ?? maxOutput ?? MAX_TOKENS_DEFAULT;
}
