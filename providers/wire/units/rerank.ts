import type { UnitCodec } from '#providers/provider';
import { isJsonObject, type JsonObject } from '#providers/wire/json-object';
import { readCount } from '#providers/wire/read-usage';
import type { Usage } from '#schema/receipt';
import type { UnitBody } from '#schema/unit';
import type { Ranking } from '#schema/units/rerank';
import { decodeJson, fieldOf, readTokens } from './decode-units.ts';
import { encodeJson } from './encode-units.ts';

/** Rerank as Cohere (v2), Jina, Together and vLLM speak it. The answer has the best documents first, as many as asked for. */
export const rerank: UnitCodec = {
  encodeRequest: (asked, target) => encodeJson('/rerank', asked, target),
  decodeReply: (answer, target, asked) =>
    decodeJson(answer, target, (body) => {
      const rankings = readRankings(body['results'] ?? body['data'], asked);
      return typeof rankings === 'string' ? rankings : { json: { results: rankings }, usage: readUsage(body), units: readSearches(body) };
    }),
};

function readRankings(results: unknown, { fields }: UnitBody): Ranking[] | string {
  const count = (fields['documents'] as unknown[]).length;
  const wanted = Math.min((fields['top_n'] as number | undefined) ?? count, count);
  if (!Array.isArray(results) || results.length < wanted) return 'fewer results than asked for';
  const byIndex = new Map<number, Ranking>();
  for (const result of results) {
    const ranking = readRanking(result, count);
    if (ranking === null || byIndex.has(ranking.index)) return 'a result has the wrong index or no score';
    byIndex.set(ranking.index, ranking);
  }
  return [...byIndex.values()].sort((a, b) => b.relevance_score - a.relevance_score).slice(0, wanted);
}

function readRanking(result: unknown, count: number): Ranking | null {
  if (!isJsonObject(result)) return null;
  const index = readCount(result['index']);
  const score = result['relevance_score'] ?? result['score'];
  if (index === null || index >= count || typeof score !== 'number' || !Number.isFinite(score)) return null;
  return { index, relevance_score: score };
}

function readSearches({ usage, meta }: JsonObject): number | null {
  return readCount(fieldOf(usage, 'search_units')) ?? readCount(fieldOf(fieldOf(meta, 'billed_units'), 'search_units'));
}

function readUsage({ usage, meta }: JsonObject): Usage | null {
  return readTokens(usage) ?? readTokens(fieldOf(meta, 'tokens')) ?? readTokens(fieldOf(meta, 'billed_units'));
}
