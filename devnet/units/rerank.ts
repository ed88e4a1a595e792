/** Reranking by shared words. Centralized APIs answer as Cohere does and bill searches, the others as Jina and vLLM do and count tokens. */
import { complain, isFields, readList, readNumber, readText, readUnitModel } from '../body.ts';
import { countPromptTokens } from '../tokens.ts';
import { toJsonPayload, type UnitParser, type UnitUsage } from './unit.ts';

const DOCUMENTS_MAX = 1000;
const QUERY_CHARACTERS_MAX = 32_768;
/** Cohere bills one search for each hundred documents begun. */
const DOCUMENTS_PER_SEARCH = 100;

/** Serves `POST /v1/rerank`. */
export const rerank: UnitParser = (fields, card) => {
  const model = readUnitModel(fields, card, 'rerank');
  const query = readText(fields, 'query', QUERY_CHARACTERS_MAX);
  const documents = readList(fields, 'documents').map(readDocument);
  if (documents.length > DOCUMENTS_MAX) complain('documents', `'documents' may hold ${DOCUMENTS_MAX} at most.`);
  const count = readNumber(fields, 'top_n', { min: 1, max: Number.MAX_SAFE_INTEGER, whole: true }, documents.length);
  const withText = fields['return_documents'] === true;
  const queryTokens = countPromptTokens(query);
  return {
    usage: {
      promptTokens: documents.reduce((sum, text) => sum + queryTokens + countPromptTokens(text), 0),
      units: Math.ceil(documents.length / DOCUMENTS_PER_SEARCH),
    },
    steps: 0,
    render: (label, usage) => {
      const results = documents
        .map((text, index) => ({ index, relevance_score: scoreOf(query, text), ...(withText ? { document: { text } } : {}) }))
        .sort((left, right) => right.relevance_score - left.relevance_score)
        .slice(0, count);
      const bill = usage === null ? {} : card.supply === 'centralized' ? toCohereBill(usage) : toJinaBill(usage);
      return toJsonPayload(label, { id: `rerank-${label.id}`, model: model.upstreamModel, results, ...bill });
    },
  };
};

function readDocument(document: unknown, index: number): string {
  const text = isFields(document) ? document['text'] : document;
  return typeof text === 'string' ? text : complain(`documents[${index}]`, `'documents[${index}]' must be a string or have a text.`);
}

function toCohereBill({ units }: UnitUsage): Record<string, unknown> {
  return { meta: { api_version: { version: '2' }, billed_units: { search_units: units } } };
}

function toJinaBill({ promptTokens }: UnitUsage): Record<string, unknown> {
  return { object: 'rerank', usage: { prompt_tokens: promptTokens, total_tokens: promptTokens } };
}

/** Scores by the share of the query's words that the document has, in [0, 1]. */
function scoreOf(query: string, document: string): number {
  const asked = wordsOf(query);
  const found = [...asked].filter((word) => wordsOf(document).has(word)).length;
  return Number((found / Math.max(1, asked.size)).toFixed(4));
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu));
}
