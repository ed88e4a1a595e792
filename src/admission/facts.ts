/** What routing may know of a chat: numbers and needs, never the prompt. */
import type { Capability } from '#schema/catalog';
import type { ChatRequest } from '#schema/chat';
import type { RequestFacts } from '#schema/facts';
import { MAX_TOKENS_LIMIT } from '#schema/generation-fields';
import { signerOf } from '#schema/signature';
import type { ClientChat } from '#schema/skin';
import { affinityOf } from './affinity.ts';
import { promptSlackTokens, promptTokens } from './estimate-tokens.ts';

/** Mean length of an answer when nothing better is known. */
const EXPECTED_COMPLETION_TOKENS = 250;
/** Makers of replayed reasoning beyond these are not looked for. */
const SIGNERS_MAX = 8;

type Message = ChatRequest['messages'][number];

/** Content part types by the capability that reads them. OpenAI's and OpenRouter's names. */
const PART_CAPABILITY: Readonly<Record<string, Capability>> = {
  image_url: 'vision',
  input_audio: 'audio',
  video_url: 'video',
  input_video: 'video',
  file: 'file',
};

/** What the skin and admission know beside the request. `freeOnly` comes from the model suffix `:free`. */
export interface FactsContext extends Pick<ClientChat, 'needs' | 'wants' | 'size'> {
  teamId: string;
  freeOnly: boolean;
}

/** Derives the facts of a checked request. */
export function chatFacts(request: ChatRequest, { teamId, freeOnly, needs = [], wants = [], size }: FactsContext): RequestFacts {
  const maxTokens = request.max_completion_tokens ?? request.max_tokens ?? null;
  const choices = size?.choices ?? request.n ?? 1;
  const reasoning = asksForReasoning(request);
  const tokens = size?.promptTokens ?? promptTokens(request);
  const affinity = affinityOf(request, { teamId, promptTokens: tokens });
  // Tools that the upstream runs itself feed what they find into the prompt.
  const slackTokens = needs.includes('messages') ? MAX_TOKENS_LIMIT : promptSlackTokens(request);
  return {
    teamId,
    operation: 'chat',
    promptTokens: tokens,
    ...(size && { contextTokens: size.contextTokens }),
    ...(slackTokens > 0 && { promptSlackTokens: slackTokens }),
    maxTokens,
    choices,
    expectedCompletionTokens: choices * Math.min(maxTokens ?? EXPECTED_COMPLETION_TOKENS, EXPECTED_COMPLETION_TOKENS),
    stream: request.stream === true,
    needs: [...new Set([...needsOf(request), ...needs])],
    wants: [...new Set([...wantsOf(request, reasoning), ...wants])],
    signedBy: signersOf(request.messages),
    reasoning,
    freeOnly,
    ...(affinity && { affinity }),
  };
}

function needsOf(request: ChatRequest): Capability[] {
  const needs: Capability[] = [];
  if (request.tools && request.tools.length > 0 && request.tool_choice !== 'none') needs.push('tools');
  const format = request.response_format?.type;
  if (format === 'json_schema' || format === 'json_object') needs.push(format);
  if (request.logprobs === true) needs.push('logprobs');
  if ((request.n ?? 1) > 1) needs.push('n');
  for (const { content } of request.messages) {
    if (!Array.isArray(content)) continue;
    for (const { type } of content) {
      const capability = Object.hasOwn(PART_CAPABILITY, type) ? PART_CAPABILITY[type] : undefined;
      if (capability) needs.push(capability);
    }
  }
  return needs;
}

function wantsOf(request: ChatRequest, reasoning: boolean): Capability[] {
  const wants: Capability[] = [];
  if (request.seed !== null && request.seed !== undefined) wants.push('seed');
  if (reasoning) wants.push('reasoning');
  // Chat templates without tools stumble over the calls of earlier turns.
  if (request.messages.some(({ role }) => role === 'tool')) wants.push('tools');
  return wants;
}

function asksForReasoning(request: ChatRequest): boolean {
  const effort = request.reasoning?.effort ?? request.reasoning_effort;
  if (effort === 'none' || request.reasoning?.enabled === false) return false;
  if (effort !== null && effort !== undefined) return true;
  return request.reasoning?.enabled === true || typeof request.reasoning?.max_tokens === 'number' || request.include_reasoning === true;
}

/** Names who signed the reasoning that the request replays. */
function signersOf(messages: readonly Message[]): string[] {
  const signers = new Set<string>();
  for (const message of messages) {
    if (message.role !== 'assistant' || !message.reasoning_details) continue;
    for (const { signature, data } of message.reasoning_details) {
      for (const signed of [signature, data]) {
        const signer = typeof signed === 'string' ? signerOf(signed) : null;
        if (signer !== null && signers.size < SIGNERS_MAX) signers.add(signer);
      }
    }
  }
  return [...signers];
}
