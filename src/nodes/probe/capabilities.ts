/** Declared capabilities, each put to one small test. */
import type { Capability } from '#schema/catalog';
import { VERIFIED_CAPABILITIES, type VerifiedCapability } from '#schema/probe';
import { askChat, type ModelAnswer } from './answer.ts';
import type { ProbeRun, Words } from './target.ts';
import { continuationTask, jsonTask, schemaTask, seedTask, toolTask } from './tasks.ts';

/** Shown, refuted, or null where this time nothing could be told. */
export type Verdict = boolean | null;

/** Who has not answered after as long as this has had time enough. */
const PATIENCE_MS = 3_000;

/** Capabilities that take a request of their own. */
type OwnTest = Exclude<VerifiedCapability, 'logprobs'>;

const TESTS: Readonly<Record<OwnTest, (run: ProbeRun) => Promise<Verdict>>> = { tools, json_object, json_schema, seed, continuation };

/** Tests all declared capabilities at once, but for `logprobs`, which the completion shows. */
export async function testCapabilities(run: ProbeRun): Promise<Map<Capability, Verdict>> {
  if (run.target.dialect !== 'openai-chat') return new Map();
  const declared = VERIFIED_CAPABILITIES.filter(
    (name): name is OwnTest => name !== 'logprobs' && run.target.declared.capabilities.includes(name),
  );
  return new Map(await Promise.all(declared.map(async (name) => [name, await TESTS[name](run)] as const)));
}

/** Judges log probabilities: at most 0, finite, and there. */
export function areLogprobs(logprobs: readonly number[] | null): boolean {
  return logprobs !== null && logprobs.length > 0 && logprobs.every((value) => Number.isFinite(value) && value <= 0);
}

/** Asks for one answer and lets `judge` decide; a refusal refutes, and so does silence for as long as patience lasts. */
async function test(run: ProbeRun, request: Words, judge: (answer: ModelAnswer) => Verdict, continues?: string): Promise<Verdict> {
  const hadTime = run.deadlineAtMs - run.now() >= PATIENCE_MS;
  const answer = await askChat(run, request, PATIENCE_MS, continues);
  if (answer.ok) return typeof answer.value === 'string' ? null : judge(answer.value);
  if (answer.kind === 'refused') return false;
  return answer.kind === 'timeout' && hadTime ? false : null;
}

/** Cut off before it could show anything. */
const isCut = ({ finishReason }: ModelAnswer) => finishReason === 'length';

function tools(run: ProbeRun): Promise<Verdict> {
  const task = toolTask(run.random);
  return test(run, task.request, (answer) => {
    const isGood = answer.toolCalls.some(({ name, arguments: given }) => {
      const values = parseObject(given);
      return values !== null && task.tools.get(name)?.every((field) => field in values);
    });
    return isGood || (isCut(answer) ? null : false);
  });
}

function json_object(run: ProbeRun): Promise<Verdict> {
  return test(run, jsonTask(run.random), (answer) => (parseObject(answer.text) !== null ? true : isCut(answer) ? null : false));
}

function json_schema(run: ProbeRun): Promise<Verdict> {
  const { request, keys } = schemaTask(run.random);
  return test(run, request, (answer) => {
    const given = parseObject(answer.text);
    if (given !== null) return keys.every((key) => typeof given[key] === 'string');
    return isCut(answer) ? null : false;
  });
}

/** Two runs with one seed must agree. */
async function seed(run: ProbeRun): Promise<Verdict> {
  const request = seedTask(run.random);
  const texts: string[] = [];
  for (let time = 0; time < 2; time++) {
    const verdict = await test(run, request, ({ text }) => texts.push(text) > 0);
    if (verdict !== true) return verdict;
  }
  return texts[0] === texts[1];
}

/** A count that has begun must go on, not begin anew. */
function continuation(run: ProbeRun): Promise<Verdict> {
  const { request, begun, first, next } = continuationTask(run.random);
  const judge = ({ text }: ModelAnswer): Verdict => {
    // llama.cpp's server repeats the beginning in a whole answer, and not in a stream.
    const rest = text.startsWith(begun) ? text.slice(begun.length) : text;
    const [said, then] = rest.match(/\d+/g) ?? [];
    if (said === next && /^\s*\d/.test(rest)) return true;
    return said === first[0] && then === first[1] ? false : null;
  };
  return test(run, request, judge, begun);
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
