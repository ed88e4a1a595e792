/** Answers in which anything may be anything: no dialect and no skin ever throws on what an upstream says. */
import { describe, expect, it } from 'vitest';
import { anthropicMessages } from '#providers/wire/anthropic-messages';
import { openAiChat } from '#providers/wire/openai-chat';
import type { Dialect } from '#providers/provider';
import { NOTHING_USED } from '#schema/receipt';
import type { ReplyChunk } from '#schema/reply';
import type { ClientChat, Settlement } from '#schema/skin';
import { hideReasoning } from '#src/metering/hide-reasoning';
import { addToTally, createTally } from '#src/metering/tally';
import { chat } from '#src/skins/chat/chat';
import { completions } from '#src/skins/completions/completions';
import { messages } from '#src/skins/messages/messages';
import { responses } from '#src/skins/responses/responses';
import { targetWith } from '#test/providers/answers';
import { messageText } from '#test/support/anthropic-scripts';
import { seededRandom } from '#test/support/random-chunks';

const MESSAGES = [{ role: 'user', content: 'hi' }];
const CLIENTS: Record<string, () => ClientChat> = {
  chat: () => chat.read({ model: 'm/x', messages: MESSAGES }, new Headers()),
  responses: () => responses.read({ model: 'm/x', input: 'hi' }, new Headers()),
  messages: () => messages.read({ model: 'm/x', max_tokens: 9, messages: MESSAGES }, new Headers()),
  completions: () => completions.read({ model: 'm/x', prompt: 'hi' }, new Headers()),
};
const LABELS = { id: 'gen-1', createdAtS: 1, model: 'm/x', provider: 'P' };
const SETTLEMENT: Settlement = { usage: NOTHING_USED, chargedNanoUsd: 0, promptNanoUsd: 0, endedAtS: 2, routerMetadata: null };

const CALL = { index: 0, id: 'call-a', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
const DETAIL = { type: 'reasoning.text', text: 'hm', signature: 'c2ln', format: 'anthropic-claude-v1', index: 0 };
const LOGPROBS = { content: [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [{ token: 'b', logprob: -2, bytes: null }] }] };
const SAID = {
  content: 'a',
  reasoning: 'hm',
  reasoning_details: [DETAIL],
  refusal: 'no',
  tool_calls: [CALL],
  annotations: [{ type: 'url_citation', url_citation: { url: 'https://x', title: 't', start_index: 0, end_index: 1 } }],
};
const USAGE = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, prompt_tokens_details: { cached_tokens: 1 } };
const CONTENT = [
  { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
  { type: 'redacted_thinking', data: 'ZGF0YQ==' },
  { type: 'text', text: 'a', citations: [{ type: 'web_search_result_location' }] },
  { type: 'tool_use', id: 'call-a', name: 'f', input: { a: 1 } },
];
const ANTHROPIC_USAGE = { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 1 };

interface Source {
  dialect: Dialect;
  events: readonly object[];
  whole: object;
  native: boolean;
}

const SOURCES: Record<string, Source> = {
  'OpenAI-style': {
    dialect: openAiChat,
    events: [
      { id: 'up', choices: [{ index: 0, delta: { role: 'assistant', ...SAID }, logprobs: LOGPROBS, finish_reason: null }] },
      { id: 'up', choices: [{ index: 0, delta: SAID, finish_reason: null }], service_tier: 'flex' },
      { id: 'up', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }], usage: USAGE },
    ],
    whole: { id: 'up', choices: [{ index: 0, message: SAID, logprobs: LOGPROBS, finish_reason: 'stop' }], usage: USAGE },
    native: false,
  },
  'Anthropic-style': anthropic(false),
  'Anthropic-style, in its own words': anthropic(true),
};

function anthropic(native: boolean): Source {
  const text = messageText({ content: CONTENT, stopReason: 'tool_use', usage: ANTHROPIC_USAGE });
  const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, json = '']) => JSON.parse(json) as object);
  const whole = { id: 'up', type: 'message', role: 'assistant', content: CONTENT, stop_reason: 'end_turn', usage: ANTHROPIC_USAGE };
  return { dialect: anthropicMessages, events, whole, native };
}

const JUNK: readonly unknown[] = [null, true, -1, 1e300, 0.5, '', 'junk', '\u2028', [], [null], [[]], {}, { type: 5 }, { toString: 1 }];

/** Replaces, now and then, what stands anywhere in a value. */
function spoil(value: unknown, random: () => number): unknown {
  if (random() < 0.06) return JUNK[Math.floor(random() * JUNK.length)];
  if (Array.isArray(value)) return value.map((item) => spoil(item, random));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, spoil(field, random)]));
}

const ROUNDS = 400;
const WAYS = Object.keys(SOURCES).flatMap((source) => Object.keys(CLIENTS).map((client): [string, string] => [source, client]));

describe.each(WAYS)('%s, heard through %s', (sourceName, clientName) => {
  const { dialect, events, whole, native } = SOURCES[sourceName] as Source;
  const target = targetWith(native ? { native: {} } : {});

  it('is written or refused, event by event', () => {
    for (let seed = 0; seed < ROUNDS; seed++) {
      const random = seededRandom(seed);
      const decoder = dialect.createStreamDecoder(target);
      const scribe = CLIENTS[clientName]?.().createScribe(LABELS);
      const tally = createTally();
      let frames = scribe?.open(LABELS) ?? '';
      for (const event of events) {
        const decoded = decoder.decode(JSON.stringify(spoil(event, random)), undefined);
        if (decoded.kind !== 'chunk') continue;
        addToTally(tally, decoded, 1);
        if (random() < 0.1) decoded.choices.forEach(hideReasoning);
        frames += scribe?.write(decoded as ReplyChunk);
      }
      frames += scribe?.finish(SETTLEMENT, [...tally.openChoices]);
      expect(frames).toMatch(/\n\n$/);
      for (const line of frames.split('\n')) if (line.startsWith('data: {')) JSON.parse(line.slice('data: '.length));
    }
  });

  it('is written or refused, whole', () => {
    for (let seed = 0; seed < ROUNDS; seed++) {
      const decoded = dialect.decodeReply(JSON.parse(JSON.stringify(spoil(whole, seededRandom(seed)))), target);
      if ('failure' in decoded) continue;
      addToTally(createTally(), decoded.reply, 1);
      expect(CLIENTS[clientName]?.().writeAnswer(LABELS, decoded.reply, SETTLEMENT)).toMatchObject({ id: 'gen-1', model: 'm/x' });
    }
  });
});
