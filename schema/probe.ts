/** Probes: what a look at an endpoint has found. One document, stored in D1 as the API answers it. */
import { z } from 'zod';
import { capability, kvCodec, quantization, type Capability } from './catalog.ts';

/** Capabilities that one small request can verify or refute. The others stay what the operator says. */
export const VERIFIED_CAPABILITIES = [
  'tools',
  'json_object',
  'json_schema',
  'seed',
  'logprobs',
  'continuation',
] as const satisfies readonly Capability[];
export type VerifiedCapability = (typeof VERIFIED_CAPABILITIES)[number];

/** What a finding is about. */
export const FINDING_SUBJECTS = [
  'reachable',
  'health',
  'model',
  'context',
  'quantization',
  'kv_cache',
  'completion',
  'usage',
  'streaming',
  'concurrency',
  'load',
  'capability',
] as const;

/** One difference between what an endpoint declares and what was seen. Never a prompt, an answer, a key or an address. */
export const probeFinding = z.strictObject({
  what: z.enum(FINDING_SUBJECTS),
  /** In a few words or as a number; null where nothing was declared, or nothing seen. */
  declared: z.string().max(200).nullable(),
  seen: z.string().max(200).nullable(),
  severity: z
    .enum(['note', 'mismatch', 'fatal'])
    .describe('`note`: worth knowing. `mismatch`: routing goes by what was seen. `fatal`: it cannot serve.'),
});
export type ProbeFinding = z.infer<typeof probeFinding>;

const count = z.int().nonnegative().max(1e9);
const durationMs = z.number().nonnegative().max(600_000);

/** How an endpoint's answers compare with those of endpoints of the same model that are trusted more. */
export const modelComparison = z
  .strictObject({
    at: z.iso.datetime(),
    verdict: z
      .enum(['agrees', 'differs', 'no_reference', 'unanswered'])
      .describe(
        '`agrees`: what it holds likely, or says, is what the model does. `differs`: it is not. `no_reference`: there was nobody to compare with, or too little to tell by. `unanswered`: it did not answer.',
      ),
    by: z
      .literal('text')
      .optional()
      .describe(
        'The words of its answers were compared, which tells less, because it or the others show no log probabilities; absent where those were',
      ),
    distance: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .describe(
        'Mean total variation distance to the nearest reference; by `text`, at how many of the words it parts from what the references agree on',
      ),
    tolerance: z.number().min(0).max(1).nullable().describe('What quantization and chance explain'),
    references: count.describe('Endpoints that it was compared with'),
    differed: count.describe('Comparisons in a row that differed'),
    of: z
      .string()
      .optional()
      .describe('The endpoint of the same operator and model that was compared: it stands for this one until this one is compared itself'),
  })
  .meta({ id: 'ModelComparison' });
export type ModelComparison = z.infer<typeof modelComparison>;

/** What a probe has seen. */
export const probeReport = z
  .strictObject({
    at: z.iso.datetime(),
    duration_ms: durationMs,
    /** Whether it has answered a request as a model does. False without a fatal finding: it had no room for one now. */
    completed: z.boolean(),
    /** Ids that its model list names, at most 50; null where it has no list. */
    models: z.array(z.string().max(300)).max(50).nullable(),
    /** Null where nothing told. */
    seen: z.strictObject({
      context: z.int().positive().max(100_000_000).nullable(),
      quantization: quantization.nullable(),
      kv_cache: kvCodec.nullable(),
      pool_tokens: count.nullable(),
      max_sequences: count.nullable(),
      /** True: shown. False: declared and refuted. Absent: not declared, or nothing could be told this time. */
      capabilities: z.partialRecord(capability, z.boolean()),
      streams: z.boolean().nullable(),
    }),
    /** `ttft_ms` is normalised to a 1,150-token prompt; `throughput` is of several requests at once. */
    speed: z.strictObject({
      ttft_ms: durationMs.nullable(),
      tpot_ms: durationMs.nullable(),
      throughput: z.strictObject({ streams: count, tokens_per_second: z.number().nonnegative().max(1e7) }).nullable(),
    }),
    load: z.strictObject({ running: count, waiting: count, kv_usage: z.number().min(0).max(1).nullable() }).nullable(),
    findings: z.array(probeFinding).max(40),
    comparison: modelComparison.optional().describe('Absent until it has been compared'),
  })
  .meta({ id: 'ProbeReport' });
export type ProbeReport = z.infer<typeof probeReport>;

/** Finds what keeps an endpoint from serving; undefined where nothing does. */
export function fatalFinding({ findings }: Pick<ProbeReport, 'findings'>): ProbeFinding | undefined {
  return findings.find(({ severity }) => severity === 'fatal');
}

/** Tells whether a probe was passed: the endpoint has answered, and nothing was found that keeps it from serving. */
export function isPassed(report: Pick<ProbeReport, 'findings' | 'completed'>): boolean {
  return report.completed && fatalFinding(report) === undefined;
}
