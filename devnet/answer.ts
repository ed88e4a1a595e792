/** What the simulated model says: labelled prose, a tool call or JSON, cut by stop words and token limits as a real one is. */
import { toInstance } from './json-instance.ts';
import type { Job } from './job.ts';
import { writeProse } from './prose.ts';
import { hashText } from './random.ts';
import { splitTokens } from './tokens.ts';

const REASONING_CHARACTERS = { none: 0, low: 60, medium: 240, high: 900 } as const;
const TOOL_RESULT_CHARACTERS_MAX = 120;
/** Everything up to the end of the last label. */
const LABELLED = /^.*\[simulated by [\w-]+\]/su;
/** How an answer of another model begins. */
const OTHER_OPENING = 'Another model: ';
/** A label that broke off. */
const LABEL_BEGUN = /^\[simulated by [\w-]*$/;

/** Holds one generated choice as tokens. */
export interface Answer {
  reasoning: readonly string[];
  content: readonly string[];
  toolCall: { id: string; name: string; arguments: readonly string[] } | null;
  finish: 'stop' | 'length' | 'tool_calls';
  /** The stop word that ended it, if one did. */
  stopWord: string | null;
}

/** Counts the tokens of a choice. */
export function countAnswerTokens(answer: Answer): number {
  return answer.reasoning.length + answer.content.length + (answer.toolCall?.arguments.length ?? 0);
}

/** Generates one choice. Pure: depends on the job, the endpoint's name in the label, and the choice's index. */
export function composeAnswer(job: Job, endpointId: string, choiceIndex: number): Answer {
  const seed = hashText(`${job.isOther === true ? OTHER_OPENING : ''}${job.prompt}|${job.seed ?? ''}|${choiceIndex}`);
  const reasoning = splitTokens(writeReasoning(job, seed)).slice(0, job.maxTokens);
  const room = job.maxTokens - reasoning.length;

  if (job.tool !== null) {
    const pieces = splitTokens(JSON.stringify(toInstance(job.tool.schema) ?? {}));
    const toolCall = { id: `call_${hashText(job.tool.name, seed).toString(36)}`, name: job.tool.name, arguments: pieces.slice(0, room) };
    return { reasoning, content: [], toolCall, finish: pieces.length > room ? 'length' : 'tool_calls', stopWord: null };
  }

  const { text, stopWord } = cutAtStop(writeContent(job, endpointId, seed), job.stop);
  const tokens = splitTokens(text);
  const tooLong = tokens.length > room;
  return {
    reasoning,
    content: tokens.slice(0, room),
    toolCall: null,
    finish: tooLong ? 'length' : 'stop',
    stopWord: tooLong ? null : stopWord,
  };
}

function writeReasoning(job: Job, seed: number): string {
  if (!job.model.reasoning || job.reasoning === 'none') return '';
  const thoughts = writeProse({ question: job.question, seed: seed ^ 1, tokensMin: 0 });
  return `A simulated thought.${thoughts}`.slice(0, REASONING_CHARACTERS[job.reasoning]);
}

function writeContent(job: Job, endpointId: string, seed: number): string {
  if (job.outputSchema !== null) {
    const json = JSON.stringify(toInstance(job.outputSchema));
    return job.prefix !== null && json.startsWith(job.prefix) ? json.slice(job.prefix.length) : json;
  }
  // Who lists probabilities speaks for the model: endpoints of one model say the same.
  const label = `${job.isOther === true ? OTHER_OPENING : ''}[simulated by ${job.topLogprobs === null ? endpointId : 'devnet'}]`;
  const { opening, delivered } = readPrefix(job.prefix ?? '', label);
  const tokensMin = job.minTokens - splitTokens(opening).length + splitTokens(delivered).length;
  const body = writeBody(job, seed, tokensMin);
  // The same prompt has the same body everywhere, so an answer that broke off elsewhere goes on where it stopped.
  return opening + (body.startsWith(delivered) ? body.slice(delivered.length) : body);
}

/** Tells how an answer that goes on from `prefix` opens, and how much of its body has been given. A label that has been given is not given again. */
function readPrefix(prefix: string, label: string): { opening: string; delivered: string } {
  const labelled = LABELLED.exec(prefix)?.[0];
  if (labelled !== undefined) return { opening: '', delivered: prefix.slice(labelled.length) };
  if (label.startsWith(prefix)) return { opening: label.slice(prefix.length), delivered: '' };
  if (LABEL_BEGUN.test(prefix)) return { opening: ']', delivered: '' };
  return { opening: ` ${label}`, delivered: prefix };
}

function writeBody(job: Job, seed: number, tokensMin: number): string {
  const prose = writeProse({ question: job.question, seed, tokensMin });
  if (job.toolResult === null) return prose;
  const said = job.toolResult.replaceAll(/\s+/gu, ' ').slice(0, TOOL_RESULT_CHARACTERS_MAX);
  return ` The tool said: ${said}.${prose}`;
}

function cutAtStop(text: string, stop: readonly string[]): { text: string; stopWord: string | null } {
  let cut = { text, stopWord: null as string | null };
  for (const word of stop) {
    const at = word === '' ? -1 : text.indexOf(word);
    if (at >= 0 && at < cut.text.length) cut = { text: text.slice(0, at), stopWord: word };
  }
  return cut;
}
