/**
 * Looks at one endpoint: is it there, does it serve what it says, and how fast? Eight seconds at most, in the words of any client (R8).
 * Nothing that an endpoint says of itself is believed where it can be seen.
 */
import { operationsOf, type Capability } from '#schema/catalog';
import { promptLengthFactor } from '#schema/health';
import type { ModelComparison, ProbeFinding, ProbeReport } from '#schema/probe';
import { LOADS_PATH, readLoads } from '../loads/sglang-loads.ts';
import { askChat, type ModelAnswer } from './answer.ts';
import { askJson, askText, describeNoAnswer, TEXT_BYTES_MAX, type Answer } from './ask.ts';
import { areLogprobs, testCapabilities, type Verdict } from './capabilities.ts';
import { drawCount } from './draw.ts';
import { askEmbedding } from './embed.ts';
import { charactersOf, everydayRequest } from './everyday.ts';
import { codecOf, readMetrics, toLoad, toPool, type EngineMetrics } from './metrics.ts';
import { isSameModel, listModels, type ListedModel } from './model-list.ts';
import { askStream, tokensOf, type StreamSeen } from './stream.ts';
import { engineUrl, type ProbePorts, type ProbeRun, type ProbeTarget } from './target.ts';
import { askTogether, type TogetherSeen } from './together.ts';

/** A probe takes no longer. */
export const PROBE_TIMEOUT_MS = 8_000;
const SURROUNDINGS_TIMEOUT_MS = 2_500;
const COMPLETION_TIMEOUT_MS = 6_000;
/** A whole answer is there within the time that an engine of ten tokens a second needs. */
const COMPLETION_TOKENS = { maxTokensLeast: 16, maxTokensMost: 50 };
const STREAM_TIMEOUT_MS = 3_000;
const STREAM_TOKENS = { maxTokensLeast: 40, maxTokensMost: 160 };
/** A stream with as many tokens as this, in one piece, was no stream. */
const LUMP_TOKENS = 8;
/** Prompts are about this long, and never counted as more than a token for each of this many characters and what a template adds. */
const PROMPT_TOKENS_PER_CHARACTER_MAX = 1;
const TEMPLATE_TOKENS_MAX = 1_500;
const CHARACTERS_PER_TOKEN = 4;
/** Requests that one engine runs and queues at most, whatever it says. */
const LOAD_MAX = 100_000;

type Report = Omit<ProbeReport, 'at' | 'duration_ms'>;

/** Probes an endpoint; `quick` asks for one answer only. Never rejects: whatever goes wrong is a finding. */
export async function probe(target: ProbeTarget, ports: ProbePorts, how: 'thorough' | 'quick' = 'thorough'): Promise<ProbeReport> {
  const startedAtMs = ports.now();
  const run: ProbeRun = { ...ports, target, deadlineAtMs: startedAtMs + PROBE_TIMEOUT_MS };
  const report = emptyReport();
  const operations = operationsOf(target.declared.capabilities);
  await Promise.all([
    lookAround(run, report),
    operations.has('chat') ? tryChat(run, report, how) : tryOther(run, report, operations.has('embeddings')),
  ]);
  return { at: new Date(startedAtMs).toISOString(), duration_ms: Math.max(0, ports.now() - startedAtMs), ...report };
}

/** Writes the report of an endpoint that could not be probed at all. */
export function unprobed(nowMs: number, finding: ProbeFinding): ProbeReport {
  return { at: new Date(nowMs).toISOString(), duration_ms: 0, ...emptyReport(), findings: [finding] };
}

/** Keeps of what was seen only how it compared: for an endpoint that is another one now, or stands where another stood. */
export function comparedOnly(comparison: ModelComparison | undefined, nowMs: number): ProbeReport | null {
  return comparison === undefined ? null : { at: new Date(nowMs).toISOString(), duration_ms: 0, ...emptyReport(), comparison };
}

function emptyReport(): Report {
  return {
    completed: false,
    models: null,
    seen: { context: null, quantization: null, kv_cache: null, pool_tokens: null, max_sequences: null, capabilities: {}, streams: null },
    speed: { ttft_ms: null, tpot_ms: null, throughput: null },
    load: null,
    findings: [],
  };
}

type Told = string | number | null;

function find(report: Report, what: ProbeFinding['what'], severity: ProbeFinding['severity'], declared: Told, seen: Told): void {
  const inWords = (value: Told) => (value === null ? null : String(value).slice(0, 200));
  report.findings.push({ what, declared: inWords(declared), seen: inWords(seen), severity });
}

/** What can be read without asking the model anything: health, the list of models, metrics. Harmless beside anything else. */
async function lookAround(run: ProbeRun, report: Report): Promise<void> {
  const text = (path: string) => askText(run, { url: engineUrl(run.target, path), timeoutMs: SURROUNDINGS_TIMEOUT_MS }, TEXT_BYTES_MAX);
  const mayTellLoads = run.target.engine === 'sglang' || run.target.engine === null;
  const [health, models, metrics, loads] = await Promise.all([
    text('/health'),
    listModels(run),
    text('/metrics'),
    mayTellLoads ? askJson(run, { url: engineUrl(run.target, LOADS_PATH), timeoutMs: SURROUNDINGS_TIMEOUT_MS }) : null,
  ]);
  // Engines without a health page are common; one that says it is ill is worth knowing.
  if (!health.ok && health.kind === 'busy') find(report, 'health', 'note', null, describeNoAnswer(health));
  noteModels(run.target, report, models);
  const told = readMetrics(metrics.ok ? metrics.value : '');
  const counted = loads?.ok === true ? readLoads(loads.value) : null;
  const poolTokens = told.poolTokens ?? toPool(counted?.poolTokens);
  noteMetrics(run.target, report, { ...told, load: (counted && toLoad(counted)) ?? told.load, poolTokens });
}

function noteModels({ upstreamModel, declared }: ProbeTarget, report: Report, models: Answer<ListedModel>): void {
  if (!models.ok) return;
  const { ids, entry } = models.value;
  report.models = ids;
  if (entry === null) {
    // An empty list is a server without one, rather than one without models.
    if (ids.length > 0) find(report, 'model', 'fatal', upstreamModel, 'not in its model list');
    return;
  }
  if (entry.root !== null && isOtherModel(entry.root, upstreamModel))
    find(report, 'model', 'mismatch', upstreamModel, `${entry.root} under that name`);
  report.seen.context = entry.context;
  if (entry.context !== null && entry.context < declared.context) find(report, 'context', 'mismatch', declared.context, entry.context);
  report.seen.quantization = entry.quantization === 'unknown' ? null : entry.quantization;
  if (report.seen.quantization !== null && declared.quantization !== 'unknown' && declared.quantization !== report.seen.quantization) {
    find(report, 'quantization', 'mismatch', declared.quantization, report.seen.quantization);
  }
}

/** Tells whether what is loaded under a name is another repository; a path on the operator's disk says nothing. */
function isOtherModel(root: string, upstreamModel: string): boolean {
  const isRepository = (name: string) => /^[\w.-]+\/[\w.-]+$/.test(name);
  return isRepository(root) && isRepository(upstreamModel) && root.toLowerCase() !== upstreamModel.toLowerCase();
}

function noteMetrics({ declared }: ProbeTarget, report: Report, { load, cacheDtype, poolTokens }: EngineMetrics): void {
  const requests = load === null ? 0 : load.running + load.waiting;
  if (requests > LOAD_MAX) find(report, 'load', 'mismatch', null, `${requests} requests at once, which cannot be`);
  else report.load = load && { running: load.running, waiting: load.waiting, kv_usage: load.kvUsage };
  report.seen.pool_tokens = poolTokens;
  const codec = codecOf(cacheDtype, declared.kvCache);
  report.seen.kv_cache = codec;
  if (codec !== null && declared.kvCache !== 'unknown' && codec !== declared.kvCache)
    find(report, 'kv_cache', 'mismatch', declared.kvCache, codec);
}

/** One whole answer, one stream alone, several at once, and what else was declared; each only after the one before was good. */
async function tryChat(run: ProbeRun, report: Report, how: 'thorough' | 'quick'): Promise<void> {
  if (!(await tryCompletion(run, report)) || how === 'quick') return;
  if (!(await tryStream(run, report))) return;
  noteTogether(run.target, report, await askTogether(run));
  for (const [capability, verdict] of await testCapabilities(run)) noteVerdict(report, capability, verdict);
}

async function tryCompletion(run: ProbeRun, report: Report): Promise<boolean> {
  const { declared, dialect } = run.target;
  const asksLogprobs = dialect === 'openai-chat' && declared.capabilities.includes('logprobs');
  const request = everydayRequest(run.random, COMPLETION_TOKENS);
  const characters = charactersOf(request.messages);
  const ask = (more: object) => askChat(run, { ...request, ...more }, COMPLETION_TIMEOUT_MS);
  let answer = await ask(asksLogprobs ? { logprobs: true, top_logprobs: drawCount(1, 5, run.random) } : {});
  if (asksLogprobs && !answer.ok && answer.kind === 'refused') {
    noteVerdict(report, 'logprobs', false);
    answer = await ask({});
  }
  if (!answer.ok) {
    const isForLater = answer.kind === 'busy' || answer.kind === 'out_of_time';
    find(report, 'completion', isForLater ? 'note' : 'fatal', null, describeNoAnswer(answer));
    return false;
  }
  if (typeof answer.value === 'string') {
    find(report, 'completion', 'fatal', null, answer.value);
    return false;
  }
  report.completed = true;
  noteAnswer(run.target, report, answer.value, characters);
  if (asksLogprobs && report.seen.capabilities.logprobs === undefined) noteVerdict(report, 'logprobs', areLogprobs(answer.value.logprobs));
  return true;
}

function noteAnswer({ upstreamModel }: ProbeTarget, report: Report, { model, finishReason, usage }: ModelAnswer, characters: number): void {
  if (model !== null && !isSameModel(model, upstreamModel) && isOtherModel(model, upstreamModel))
    find(report, 'model', 'mismatch', upstreamModel, model);
  if (finishReason === null) find(report, 'completion', 'note', null, 'no finish reason');
  if (usage === null) {
    find(report, 'usage', 'note', null, 'no usage');
    return;
  }
  const promptTokensMax = characters * PROMPT_TOKENS_PER_CHARACTER_MAX + TEMPLATE_TOKENS_MAX;
  const { promptTokens, completionTokens } = usage;
  if (promptTokens < 1 || promptTokens > promptTokensMax || completionTokens < 1) {
    find(report, 'usage', 'mismatch', null, `${promptTokens} prompt and ${completionTokens} completion tokens, which cannot be`);
  }
}

async function tryStream(run: ProbeRun, report: Report): Promise<boolean> {
  const request = everydayRequest(run.random, STREAM_TOKENS);
  const answer = await askStream(run, request, STREAM_TIMEOUT_MS);
  if (!answer.ok) {
    const isForLater = answer.kind === 'busy' || answer.kind === 'out_of_time' || answer.kind === 'timeout';
    find(report, 'streaming', isForLater ? 'note' : 'fatal', null, describeNoAnswer(answer));
    return isForLater;
  }
  const { value: seen } = answer;
  if (seen.isBroken || seen.firstMs === null || seen.lastMs === null) {
    find(report, 'streaming', 'fatal', null, seen.isBroken ? 'no event stream of a model' : 'an empty stream');
    return false;
  }
  const tokens = tokensOf(seen);
  report.seen.streams = !isLump(seen, tokens);
  if (!report.seen.streams) find(report, 'streaming', 'mismatch', null, 'everything at once');
  report.speed.ttft_ms = rounded(seen.firstMs / promptLengthFactor(charactersOf(request.messages) / CHARACTERS_PER_TOKEN));
  if (tokens >= 2 && report.seen.streams) report.speed.tpot_ms = rounded((seen.lastMs - seen.firstMs) / (tokens - 1));
  return true;
}

/** A whole answer in one event, or held back by something in between until all of it was there. */
function isLump({ increments, firstMs, lastMs }: StreamSeen, tokens: number): boolean {
  if (tokens < LUMP_TOKENS) return false;
  if (increments === 1) return true;
  return firstMs !== null && lastMs !== null && lastMs > 1_000 && lastMs - firstMs < 0.02 * lastMs;
}

function noteTogether({ declared }: ProbeTarget, report: Report, seen: TogetherSeen | null): void {
  if (seen === null) return;
  if (seen.tokensPerSecond !== null && seen.answered > 1)
    report.speed.throughput = { streams: seen.answered, tokens_per_second: seen.tokensPerSecond };
  if (seen.turnedAway > 0 && declared.maxConcurrency !== null)
    find(report, 'concurrency', 'mismatch', declared.maxConcurrency, `${seen.turnedAway} of ${seen.asked} turned away`);
}

function noteVerdict(report: Report, capability: Capability, verdict: Verdict): void {
  if (verdict === null) return;
  report.seen.capabilities[capability] = verdict;
  if (!verdict) find(report, 'capability', 'mismatch', capability, 'not shown');
}

/** Endpoints that do not chat: vectors are checked, other operations would cost too much to try. */
async function tryOther(run: ProbeRun, report: Report, embeds: boolean): Promise<void> {
  if (!embeds) {
    report.completed = true;
    find(report, 'completion', 'note', null, 'not tried: it does not chat');
    return;
  }
  const answer = await askEmbedding(run);
  if (!answer.ok) find(report, 'completion', answer.kind === 'busy' ? 'note' : 'fatal', null, describeNoAnswer(answer));
  else if (!answer.value) find(report, 'completion', 'fatal', null, 'no vector');
  else report.completed = true;
}

function rounded(ms: number): number {
  return Math.min(600_000, Math.round(ms * 10) / 10);
}
