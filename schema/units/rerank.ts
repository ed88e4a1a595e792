/** The contract of `POST /rerank`: OpenRouter's, which is Cohere's and Jina's in common. */
import { z } from 'zod';
import { boundedList } from './bounded-list.ts';
import { routedFields } from './routed-fields.ts';

const DOCUMENTS_MAX = 10_000;

const documentFields = z
  .looseObject({ text: z.string().optional(), image: z.string().optional() })
  .refine(({ text, image }) => text !== undefined || image !== undefined, { error: 'expected a document with text or image' });

export const rerankRequest = z
  .looseObject({
    ...routedFields,
    query: z.string().min(1, 'expected a query that is not empty'),
    documents: boundedList(z.union([z.string(), documentFields]), DOCUMENTS_MAX),
    top_n: z.int().positive().nullish(),
    return_documents: z.boolean().nullish(),
  })
  .meta({ id: 'RerankRequest' });
export type RerankRequest = z.infer<typeof rerankRequest>;

/** A document as its request wrote it. */
export type RerankDocument = RerankRequest['documents'][number];

/** One result: which document of the request, and how well it fits; higher is better. */
export interface Ranking {
  index: number;
  relevance_score: number;
}
