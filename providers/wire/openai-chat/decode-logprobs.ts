import { isJsonObject } from '#providers/wire/json-object';

/** Completes log probabilities in place: strict clients want the bytes of every token and a list of others, which some servers leave out. */
export function completeLogprobs(logprobs: unknown): void {
  if (!isJsonObject(logprobs) || !Array.isArray(logprobs['content'])) return;
  for (const token of logprobs['content']) {
    if (!isJsonObject(token)) continue;
    token['bytes'] ??= null;
    token['top_logprobs'] ??= [];
    const others: unknown[] = Array.isArray(token['top_logprobs']) ? token['top_logprobs'] : [];
    for (const other of others) if (isJsonObject(other)) other['bytes'] ??= null;
  }
}
