import type { ChatDelta } from '#schema/chat';
import type { ItemWriter, ReasoningItem, Seat } from './items.ts';
import { isJsonObject, type JsonObject } from '../json-object.ts';
import { sealDetails } from './reasoning-seal.ts';

/** What one delta adds to the reasoning. */
export interface Thought {
  text: string;
  details: readonly JsonObject[];
}

/** Reads the reasoning of a delta; null when it has none. Upstreams that state details alone have their text in them. */
export function readThought({ reasoning, reasoning_details: raw }: ChatDelta): Thought | null {
  if (!reasoning && (raw === undefined || raw.length === 0)) return null;
  const details = (raw ?? []).filter(isJsonObject);
  const text =
    reasoning ||
    details
      .map((detail) => detail['text'] ?? detail['summary'])
      .filter(isText)
      .join('');
  return text === '' && details.length === 0 ? null : { text, details };
}

export interface ReasoningWriter extends ItemWriter {
  add(thought: Thought): void;
}

/**
 * Opens a reasoning item. The text is written twice, as a summary and as content: LangChain and the AI SDK show summaries alone,
 * OpenRouter's `callModel` shows content alone. What it was exactly is sealed in `encrypted_content`.
 */
export function openReasoning({ name, index, tell }: Seat): ReasoningWriter {
  const item: ReasoningItem = { id: `rs_${name}`, type: 'reasoning', status: 'in_progress', summary: [], encrypted_content: null };
  const details: JsonObject[] = [];
  const summaryAt = { item_id: item.id, output_index: index, summary_index: 0 };
  const contentAt = { item_id: item.id, output_index: index, content_index: 0 };
  let text = '';
  tell('response.output_item.added', { output_index: index, item });

  function openText(): void {
    tell('response.reasoning_summary_part.added', { ...summaryAt, part: { type: 'summary_text', text } });
    tell('response.content_part.added', { ...contentAt, part: { type: 'reasoning_text', text } });
  }

  function addText(delta: string): void {
    if (text === '') openText();
    text += delta;
    tell('response.reasoning_summary_text.delta', { ...summaryAt, delta });
    tell('response.reasoning_text.delta', { ...contentAt, delta });
  }

  function closeText(): void {
    const [summary, content] = [
      { type: 'summary_text' as const, text },
      { type: 'reasoning_text' as const, text },
    ];
    tell('response.reasoning_summary_text.done', { ...summaryAt, text });
    tell('response.reasoning_summary_part.done', { ...summaryAt, part: summary });
    tell('response.reasoning_text.done', { ...contentAt, text });
    tell('response.content_part.done', { ...contentAt, part: content });
    item.summary = [summary];
    item.content = [content];
  }

  return {
    item,
    add(thought) {
      if (thought.text !== '') addText(thought.text);
      for (const detail of thought.details) addDetail(details, detail);
    },
    close(status) {
      if (text !== '') closeText();
      if (details.length > 0) item.encrypted_content = sealDetails(details);
      item.status = status;
      tell('response.output_item.done', { output_index: index, item });
    },
  };
}

/** Streams give a detail in pieces that bear the same index, its signature last. */
function addDetail(details: JsonObject[], piece: JsonObject): void {
  const last = details.at(-1);
  if (last === undefined || !continues(last, piece)) details.push({ ...piece });
  else Object.assign(last, piece, joined(last, piece, 'text'), joined(last, piece, 'summary'));
}

function continues(last: JsonObject, piece: JsonObject): boolean {
  const isWhole = typeof last['signature'] === 'string' || piece['type'] === 'reasoning.encrypted';
  return !isWhole && typeof piece['index'] === 'number' && last['index'] === piece['index'] && last['type'] === piece['type'];
}

function joined(last: JsonObject, piece: JsonObject, field: 'text' | 'summary'): JsonObject {
  const texts = [last[field], piece[field]].filter(isText);
  return texts.length === 0 ? {} : { [field]: texts.join('') };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
