/** Output items as the API shows them, and the way in which they tell that they grow. */
import type { JsonObject } from '../json-object.ts';

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export interface ReasoningItem {
  id: string;
  type: 'reasoning';
  status: ItemStatus;
  summary: { type: 'summary_text'; text: string }[];
  content?: { type: 'reasoning_text'; text: string }[];
  encrypted_content: string | null;
}

export interface TextPart {
  type: 'output_text';
  text: string;
  annotations: JsonObject[];
  logprobs: JsonObject[];
}

export interface RefusalPart {
  type: 'refusal';
  refusal: string;
}

export interface MessageItem {
  id: string;
  type: 'message';
  status: ItemStatus;
  role: 'assistant';
  content: (TextPart | RefusalPart)[];
}

export interface FunctionCallItem {
  id: string;
  type: 'function_call';
  status: ItemStatus;
  call_id: string;
  name: string;
  arguments: string;
}

export type OutputItem = ReasoningItem | MessageItem | FunctionCallItem;

/** Hears every event of an answer with the fields beside its type and number. What it is given goes on changing. */
export type Listener = (type: string, fields: object) => void;

/** The place of an item in its answer. `name` tells it from all others; OpenAI wants the kind before it. */
export interface Seat {
  name: string;
  index: number;
  tell: Listener;
}

/** An item that is being written. `close` says its last events and its last status. */
export interface ItemWriter {
  item: OutputItem;
  close(status: ItemStatus): void;
}
