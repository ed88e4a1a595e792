import type { DialectTarget, Quirks } from '#providers/provider';
import type { JsonObject } from '#providers/wire/json-object';

/** Brings a choice of a kindred format into chat's shape, its text in `field`, before it is normalised. */
export type Reshape = (choice: JsonObject, field: 'delta' | 'message') => void;

/** Quirks of answers, prepared once per answer so that reading an event is only look-ups. */
export interface AnswerRules {
  target: DialectTarget;
  quirks: Quirks;
  reasoningFields: readonly string[];
  stripped: readonly string[];
  failureReasons: ReadonlySet<string>;
  usageInChoice: boolean;
  reshape: Reshape | null;
}

const REASONING_FIELDS = ['reasoning_content', 'reasoning', 'reasoning_text'] as const;

/** Prepares a target's answer quirks. Native `error` is a failure everywhere. */
export function toAnswerRules(target: DialectTarget, reshape: Reshape | null): AnswerRules {
  const { quirks } = target;
  return {
    target,
    quirks,
    reasoningFields: quirks.reasoningFields ?? REASONING_FIELDS,
    stripped: quirks.stripResponseFields ?? [],
    failureReasons: new Set(['error', ...(quirks.failureFinishReasons ?? [])]),
    reshape,
    usageInChoice: quirks.usageLocations?.includes('choice') === true,
  };
}
