import { countTokens } from '#schema/count-tokens';
import { readContract } from '#schema/read-contract';
import type { AnswerLabels, ClientUnit, Settlement, UnitSize, UnitSkin } from '#schema/skin';
import type { UnitReply } from '#schema/unit';
import { rerankRequest, type Ranking, type RerankDocument, type RerankRequest } from '#schema/units/rerank';
import { toErrorBody } from '../error-body.ts';
import { metadataField } from '../usage-body.ts';
import { chargeFields } from './charge-fields.ts';
import { statedFields } from './stated-fields.ts';

/** Documents in one search unit, and tokens of query and document after which a document counts once more. Cohere, pricing page. */
const DOCUMENTS_PER_SEARCH = 100;
const TOKENS_PER_DOCUMENT = 500;

/** Marks that rerankers put around and between query and document; they are billed like the rest. */
const TOKENS_AROUND_PAIR = 4;

/** Speaks OpenRouter's rerank. Results come best first, each with its document as the request wrote it, unless `return_documents` is false. */
export const rerank: UnitSkin = {
  api: 'rerank',
  operation: 'rerank',
  read(body): ClientUnit {
    const request = readContract(rerankRequest, body);
    const documents = request.documents.map(plainText);
    return {
      request,
      // Documents are put back from the request: sending them twice over the wire helps nobody.
      body: { fields: statedFields({ ...request, documents, return_documents: null }), file: null },
      size: sizeOf(request),
      needs: documents.every((document) => typeof document === 'string') ? [] : ['vision'],
      writeAnswer: (labels, reply, settlement) => toAnswer(labels, reply, settlement, request),
    };
  },
  writeError: (error) => toErrorBody(error, 'documents'),
};

/** Most upstreams take plain text only. */
function plainText(document: RerankDocument): RerankDocument {
  return typeof document === 'object' && document.image === undefined ? (document.text ?? '') : document;
}

function toDocument(document: RerankDocument): object {
  return typeof document === 'string' ? { text: document } : document;
}

function sizeOf({ query, documents }: RerankRequest): UnitSize {
  const tokensBeside = countTokens(query) + TOKENS_AROUND_PAIR;
  const tokens = documents.map((document) => tokensBeside + countTokens(typeof document === 'string' ? document : (document.text ?? '')));
  const counted = tokens.reduce((sum, count) => sum + Math.max(1, Math.ceil(count / TOKENS_PER_DOCUMENT)), 0);
  return {
    promptTokens: Math.ceil(tokens.reduce((sum, count) => sum + count, 0)),
    contextTokens: Math.ceil(tokens.reduce((most, count) => Math.max(most, count), 0)),
    unitsMax: Math.ceil(counted / DOCUMENTS_PER_SEARCH),
    unitsExpected: Math.ceil(documents.length / DOCUMENTS_PER_SEARCH),
  };
}

function toAnswer({ id, model, provider }: AnswerLabels, { json }: UnitReply, settlement: Settlement, request: RerankRequest): object {
  const rankings = json?.['results'] as Ranking[];
  const { usage } = settlement;
  return {
    id,
    model,
    provider,
    results: request.return_documents === false ? rankings : rankings.map((ranking) => withDocument(ranking, request)),
    usage: {
      ...(usage.units !== undefined && { search_units: usage.units }),
      total_tokens: usage.promptTokens,
      ...chargeFields(settlement),
    },
    ...metadataField(settlement),
  };
}

function withDocument(ranking: Ranking, { documents }: RerankRequest): object {
  return { ...ranking, document: toDocument(documents[ranking.index] ?? '') };
}
