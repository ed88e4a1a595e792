/** The query of a model list, in OpenRouter's names. */
import { z } from 'zod';
import { csv, decimal, whole } from './read-query.ts';

const LIMIT_MAX = 1000;

/** OpenRouter's orders. Nobody has told us benchmarks, so in orders by one every model is unscored. */
const MODEL_SORTS = [
  'newest',
  'pricing-low-to-high',
  'pricing-high-to-low',
  'context-high-to-low',
  'throughput-high-to-low',
  'latency-low-to-high',
  'most-popular',
  'top-weekly',
  'intelligence-high-to-low',
  'coding-high-to-low',
  'agentic-high-to-low',
  'design-arena-elo-high-to-low',
] as const;
export type ModelSort = (typeof MODEL_SORTS)[number];

const CATEGORIES = [
  'programming',
  'roleplay',
  'marketing',
  'marketing/seo',
  'technology',
  'science',
  'translation',
  'legal',
  'finance',
  'health',
  'trivia',
  'academia',
] as const;
const INPUT_MODALITIES = ['text', 'image', 'file', 'audio', 'video'] as const;
const OUTPUT_MODALITIES = ['text', 'image', 'embeddings', 'audio', 'video', 'rerank', 'decisions', 'speech', 'transcription'] as const;

const share = decimal.pipe(z.number().max(1));

/** Filters on facts that nobody has told us of any model: they are read, and match nothing. */
export const unknownFacts = z.object({
  category: z.enum(CATEGORIES).optional(),
  distillable: z.enum(['true', 'false']).optional(),
  min_intelligence_index: decimal.optional(),
  max_intelligence_index: decimal.optional(),
  min_coding_index: decimal.optional(),
  max_coding_index: decimal.optional(),
  min_agentic_index: decimal.optional(),
  max_agentic_index: decimal.optional(),
  min_tool_success_rate: share.optional(),
  max_tool_success_rate: share.optional(),
});

/** Fields that are not listed are ignored, as everywhere in queries. */
export const modelsQuery = z
  .object({
    ...unknownFacts.shape,
    /** Part of an id or name, any case. */
    q: z.string().max(200).optional(),
    /** One must be offered. Text where absent, as in OpenRouter; `all` for every model. */
    output_modalities: csv(z.enum([...OUTPUT_MODALITIES, 'all'])).default(['text']),
    /** All must be taken. */
    input_modalities: csv(z.enum(INPUT_MODALITIES)).optional(),
    /** First parts of ids, any of them. */
    model_authors: csv(z.string()).optional(),
    /** Tokenizer family. */
    arch: z.string().max(100).optional(),
    min_age_days: whole.optional(),
    max_age_days: whole.optional(),
    /** What follows is asked of endpoints: a model is listed when one endpoint satisfies all of it. */
    supported_parameters: csv(z.string()).optional(),
    /** Least context, tokens. */
    context: whole.optional(),
    /** USD per million prompt tokens. */
    min_price: decimal.optional(),
    max_price: decimal.optional(),
    /** USD per million completion tokens. */
    min_output_price: decimal.optional(),
    max_output_price: decimal.optional(),
    /** Ids or names, any of them, any case. */
    providers: csv(z.string()).optional(),
    /** Proven to retain nothing. */
    zdr: z.enum(['true']).optional(),
    /** Every place that may process the prompt lies there. */
    region: z.enum(['eu', 'us']).optional(),
    sort: z.enum(MODEL_SORTS).default('newest'),
    offset: whole.optional(),
    limit: whole.pipe(z.number().min(1).max(LIMIT_MAX)).optional(),
    /** Lists are JSON. */
    use_rss: z.literal('false', { error: 'feeds are not written here; leave it out and read the list sorted by `newest`' }).optional(),
  })
  .meta({ id: 'ModelsQuery' });
export type ModelsQuery = z.infer<typeof modelsQuery>;

/** The query of a list of one output modality, which is not asked for. */
export const embeddingModelsQuery = modelsQuery.omit({ output_modalities: true }).meta({ id: 'EmbeddingModelsQuery' });
