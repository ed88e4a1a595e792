import { isJsonObject, type JsonObject } from '../json-object.ts';

/** Reads a chat choice's `logprobs` as those of output text. Clients want bytes to be a list, where chat says null for "none". */
export function readLogprobs(logprobs: unknown): JsonObject[] {
  if (!isJsonObject(logprobs) || !Array.isArray(logprobs['content'])) return [];
  return logprobs['content'].filter(isJsonObject).map((token) => ({
    ...withBytes(token),
    top_logprobs: Array.isArray(token['top_logprobs']) ? token['top_logprobs'].filter(isJsonObject).map(withBytes) : [],
  }));
}

function withBytes(token: JsonObject): JsonObject {
  return { token: token['token'], bytes: token['bytes'] ?? [], logprob: token['logprob'] };
}
