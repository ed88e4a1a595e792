/** The output items of one answer as it grows, whole or in pieces. The same pieces give the same items. */
import type { ChatChoice, ChatDelta } from '#schema/chat';
import { readAnnotations } from './annotations.ts';
import type { ItemStatus, ItemWriter, Listener, OutputItem, Seat } from './items.ts';
import { readLogprobs } from './logprobs.ts';
import { openCall, type CallPiece, type CallWriter } from './write-call.ts';
import { openMessage, type MessageWriter } from './write-message.ts';
import { openReasoning, readThought, type ReasoningWriter } from './write-reasoning.ts';

export interface Output {
  /** Every item so far, open ones too. */
  items: readonly OutputItem[];
  add(choice: ChatChoice): void;
  /** Closes what is open, in order. `lastStatus` is for the last item: where an answer is cut, it is the one that was cut. */
  close(lastStatus: ItemStatus): void;
  /** Marks what is open as incomplete and says nothing: the answer broke. */
  abandon(): void;
}

/**
 * Creates the output of the generation `id`. Reasoning and message follow each other, so one ends where the other or a call begins.
 * Calls stay open to the end, because their pieces may come interleaved.
 */
export function createOutput(id: string, tell: Listener): Output {
  const items: OutputItem[] = [];
  const open = new Set<ItemWriter>();
  const calls = new Map<number, CallWriter>();
  let thinking: ReasoningWriter | null = null;
  let speaking: MessageWriter | null = null;

  function opened<Writer extends ItemWriter>(writer: Writer): Writer {
    items.push(writer.item);
    open.add(writer);
    return writer;
  }

  function closeOne(writer: ItemWriter | null): null {
    if (writer !== null && open.delete(writer)) writer.close('completed');
    return null;
  }

  function seat(): Seat {
    return { name: `${id}-${items.length}`, index: items.length, tell };
  }

  function think(): ReasoningWriter {
    speaking = closeOne(speaking);
    return (thinking ??= opened(openReasoning(seat())));
  }

  function speak(): MessageWriter {
    thinking = closeOne(thinking);
    return (speaking ??= opened(openMessage(seat())));
  }

  function call(piece: CallPiece, position: number): CallWriter {
    const known = calls.get(piece.index ?? position);
    if (known !== undefined) return known;
    thinking = closeOne(thinking);
    speaking = closeOne(speaking);
    const writer = opened(openCall(seat(), piece));
    calls.set(piece.index ?? position, writer);
    return writer;
  }

  function addWords(delta: ChatDelta, logprobs: unknown): void {
    const { content: text } = delta;
    if (typeof text === 'string') {
      const tokens = readLogprobs(logprobs);
      if (text !== '' || (speaking !== null && tokens.length > 0)) speak().addText(text, tokens);
    }
    if (delta.refusal) speak().addRefusal(delta.refusal);
    for (const annotation of readAnnotations(delta)) speak().addAnnotation(annotation);
  }

  return {
    items,
    add(choice) {
      // The API has no `n`.
      const delta = choice.index === 0 ? (choice.delta ?? choice.message) : undefined;
      if (delta === undefined) return;
      const thought = readThought(delta);
      if (thought !== null) think().add(thought);
      addWords(delta, choice.logprobs);
      for (const [position, piece] of delta.tool_calls?.entries() ?? []) call(piece, position).add(piece);
    },
    close(lastStatus) {
      for (const writer of open) writer.close(writer.item === items.at(-1) ? lastStatus : 'completed');
      open.clear();
    },
    abandon() {
      for (const { item } of open) item.status = 'incomplete';
      open.clear();
    },
  };
}
