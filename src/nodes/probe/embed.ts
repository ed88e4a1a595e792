/** Endpoints that only embed: one short text must become a vector. */
import { z } from 'zod';
import { askJson, type Answer } from './ask.ts';
import { everydayText } from './everyday.ts';
import { apiUrl, headersOf, type ProbeRun } from './target.ts';

const TIMEOUT_MS = 5_000;
const embeddings = z.object({ data: z.array(z.object({ embedding: z.array(z.number()).min(2).max(65_536) })).min(1) });

/** Embeds one text; the value says whether a vector came that is more than zeros. */
export async function askEmbedding(run: ProbeRun): Promise<Answer<boolean>> {
  const body = JSON.stringify({ model: run.target.upstreamModel, input: everydayText(run.random) });
  const said = { url: apiUrl(run.target, '/embeddings'), headers: headersOf(run.target, true), body };
  const answer = await askJson(run, { ...said, timeoutMs: TIMEOUT_MS });
  if (!answer.ok) return answer;
  const read = embeddings.safeParse(answer.value);
  return { ...answer, value: read.success && read.data.data[0]?.embedding.some((value) => value !== 0) === true };
}
