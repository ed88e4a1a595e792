/** Declared capabilities, each put to one small test. */
import type { Capability } from '#schema/catalog';
import { VERIFIED_CAPABILITIES, type VerifiedCapability } from '#schema/probe';
import { askChat, type ModelAnswer } from './answer.ts';
import type { ProbeRun } from './target.ts';

/** Shown, refuted, or null where this time nothing could be told. */
export type Verdict = boolean | null;

/** Who has not answered after as long as this has had time enough. */
const PATIENCE_MS = 3_000;
const TOKENS_SMALL = 16;
/** Room for a call or an object, and for a model that thinks before. */
const TOKENS_STRUCTURED = 96;

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
async function test(
  run: ProbeRun,
  body: { messages: readonly object[]; max_tokens: number } & Record<string, unknown>,
  judge: (answer: ModelAnswer) => Verdict,
): Promise<Verdict> {
  const hadTime = run.deadlineAtMs - run.now() >= PATIENCE_MS;
  const answer = await askChat(run, body, PATIENCE_MS);
  if (answer.ok) return typeof answer.value === 'string' ? null : judge(answer.value);
  if (answer.kind === 'refused') return false;
  return answer.kind === 'timeout' && hadTime ? false : null;
}

const user = (content: string) => ({ role: 'user', content });

/** Cut off before it could show anything. */
const isCut = ({ finishReason }: ModelAnswer) => finishReason === 'length';

function tools(run: ProbeRun): Promise<Verdict> {
  const tool = {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'Current weather of a city.',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  };
  const body = {
    messages: [user('What is the weather in Lisbon right now?')],
    tools: [tool],
    tool_choice: 'required',
    max_tokens: TOKENS_STRUCTURED,
  };
  return test(run, body, (answer) => {
    if (answer.toolCalls.some(({ name, arguments: given }) => name === 'get_weather' && parseObject(given) !== null)) return true;
    return isCut(answer) ? null : false;
  });
}

function json_object(run: ProbeRun): Promise<Verdict> {
  const body = {
    messages: [user('Give the capital of Portugal as a JSON object with the key "city".')],
    response_format: { type: 'json_object' },
    max_tokens: TOKENS_STRUCTURED,
  };
  return test(run, body, (answer) => (parseObject(answer.text) !== null ? true : isCut(answer) ? null : false));
}

function json_schema(run: ProbeRun): Promise<Verdict> {
  // An odd key that nobody would choose unless the schema is obeyed.
  const schema = {
    type: 'object',
    properties: { city_of_answer: { type: 'string', maxLength: 40 } },
    required: ['city_of_answer'],
    additionalProperties: false,
  };
  const body = {
    messages: [user('What is the capital of Portugal?')],
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } },
    max_tokens: TOKENS_STRUCTURED,
  };
  return test(run, body, (answer) => {
    const given = parseObject(answer.text);
    if (given !== null) return typeof given['city_of_answer'] === 'string';
    return isCut(answer) ? null : false;
  });
}

/** Two runs with one seed must agree. */
async function seed(run: ProbeRun): Promise<Verdict> {
  const body = {
    messages: [user('Name five animals that live in the sea.')],
    seed: Math.floor(run.random() * 1e6),
    temperature: 1,
    max_tokens: TOKENS_SMALL,
  };
  const texts: string[] = [];
  for (let time = 0; time < 2; time++) {
    const verdict = await test(run, body, ({ text }) => texts.push(text) > 0);
    if (verdict !== true) return verdict;
  }
  return texts[0] === texts[1];
}

/** A count that has begun must go on, not begin anew. */
function continuation(run: ProbeRun): Promise<Verdict> {
  const begun = '1, 2, 3, 4, 5, 6, 7,';
  const body = {
    messages: [user('Count from 1 to 20, separated by commas.'), { role: 'assistant', content: begun }],
    ...continuationFields(run.target.engine),
    temperature: 0,
    max_tokens: TOKENS_SMALL,
  };
  return test(run, body, ({ text }) => {
    if (/^\s*8\b/.test(text)) return true;
    return /^\s*1\s*,\s*2\b/.test(text) ? false : null;
  });
}

/** How an answer is gone on with, where the last message of an assistant is not enough. */
function continuationFields(engine: string | null): object {
  return engine === 'llama-cpp' || engine === 'ollama' ? {} : { continue_final_message: true, add_generation_prompt: false };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
