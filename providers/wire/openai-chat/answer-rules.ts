import type { DialectTarget, Quirks } from '#providers/provider';

/** Quirks of answers, prepared once per answer so that reading an event is only look-ups. */
export interface AnswerRules {
  target: DialectTarget;
  quirks: Quirks;
  reasoningFields: readonly string[];
  stripped: readonly string[];
  failureReasons: ReadonlySet<string>;
  usageInChoice: boolean;
}

const REASONING_FIELDS = ['reasoning_content', 'reasoning', 'reasoning_text'] as const;

/** Prepares a target's answer quirks. Native `error` is a failure everywhere. */
export function toAnswerRules(target: DialectTarget): AnswerRules {
  const { quirks } = target;
  return {
    target,
    quirks,
    reasoningFields: quirks.reasoningFields ?? REASONING_FIELDS,
    stripped: quirks.stripResponseFields ?? [],
    failureReasons: new Set(['error', ...(quirks.failureFinishReasons ?? [])]),
    usageInChoice: quirks.usageLocations?.includes('choice') === true,
  };
}
