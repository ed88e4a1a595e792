import type { ChatDelta } from '#schema/chat';
import type { FunctionCallItem, ItemWriter, Seat } from './items.ts';

/** A tool call of a chat delta, or a piece of one. */
export type CallPiece = NonNullable<ChatDelta['tool_calls']>[number];

export interface CallWriter extends ItemWriter {
  add(piece: CallPiece): void;
}

/** Opens a function call. Its first piece names it; a call that nobody named is named after its place. */
export function openCall({ name, index, tell }: Seat, first: CallPiece): CallWriter {
  const item: FunctionCallItem = {
    id: `fc_${name}`,
    type: 'function_call',
    status: 'in_progress',
    call_id: first.id || `call_${name}`,
    name: first.function?.name ?? '',
    arguments: '',
  };
  const where = { item_id: item.id, output_index: index };
  tell('response.output_item.added', { output_index: index, item });

  return {
    item,
    add({ function: named }) {
      item.name ||= named?.name ?? '';
      const delta = named?.arguments ?? '';
      if (delta === '') return;
      item.arguments += delta;
      tell('response.function_call_arguments.delta', { ...where, delta });
    },
    close(status) {
      // Clients parse the arguments, and an empty text is no JSON.
      if (status === 'completed') item.arguments ||= '{}';
      tell('response.function_call_arguments.done', { ...where, name: item.name, arguments: item.arguments });
      item.status = status;
      tell('response.output_item.done', { output_index: index, item });
    },
  };
}
