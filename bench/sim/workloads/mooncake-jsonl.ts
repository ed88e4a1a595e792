/** Mooncake's traces: one JSON object a line, times in ms, prefix blocks of 512 tokens by id. github.com/kvcache-ai/Mooncake */
import { z } from 'zod';
import type { Arrival } from './arrival.ts';

const line = z.object({
  timestamp: z.number(),
  input_length: z.number().nonnegative(),
  output_length: z.number().nonnegative(),
  hash_ids: z.array(z.number()).optional(),
});

/** Reads one line. Throws an Error that names the field. Empty prompts and answers count as one token. */
export function readMooncakeLine(text: string): Arrival {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`not JSON: ${text.slice(0, 60)}`);
  }
  const result = line.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new Error(`${issue?.path.join('.') || 'the line'}: ${issue?.message ?? 'is not a request'}`);
  }
  const { timestamp, input_length, output_length, hash_ids } = result.data;
  return {
    atMs: timestamp,
    promptTokens: Math.max(1, Math.round(input_length)),
    completionTokens: Math.max(1, Math.round(output_length)),
    ...(hash_ids !== undefined && hash_ids.length > 0 && { blocks: hash_ids }),
  };
}
