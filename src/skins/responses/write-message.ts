import type { ItemWriter, MessageItem, RefusalPart, Seat, TextPart } from './items.ts';
import type { JsonObject } from '../json-object.ts';

export interface MessageWriter extends ItemWriter {
  /** Log probabilities may come with no text: tokens that are half a character. */
  addText(text: string, logprobs: readonly JsonObject[]): void;
  addRefusal(text: string): void;
  addAnnotation(annotation: JsonObject): void;
}

/** Opens a message of the assistant. Text and refusal are parts; one is done when the other begins. */
export function openMessage({ name, index, tell }: Seat): MessageWriter {
  const item: MessageItem = { id: `msg_${name}`, type: 'message', status: 'in_progress', role: 'assistant', content: [] };
  tell('response.output_item.added', { output_index: index, item });

  function where(): object {
    return { item_id: item.id, output_index: index, content_index: item.content.length - 1 };
  }

  function open<Part extends TextPart | RefusalPart>(part: Part): Part {
    closePart();
    item.content.push(part);
    tell('response.content_part.added', { ...where(), part });
    return part;
  }

  function textPart(): TextPart {
    const last = item.content.at(-1);
    return last?.type === 'output_text' ? last : open({ type: 'output_text', text: '', annotations: [], logprobs: [] });
  }

  function refusalPart(): RefusalPart {
    const last = item.content.at(-1);
    return last?.type === 'refusal' ? last : open({ type: 'refusal', refusal: '' });
  }

  function closePart(): void {
    const part = item.content.at(-1);
    if (part === undefined) return;
    if (part.type === 'refusal') tell('response.refusal.done', { ...where(), refusal: part.refusal });
    else tell('response.output_text.done', { ...where(), text: part.text, logprobs: part.logprobs });
    tell('response.content_part.done', { ...where(), part });
  }

  return {
    item,
    addText(text, logprobs) {
      const part = textPart();
      part.text += text;
      part.logprobs.push(...logprobs);
      tell('response.output_text.delta', { ...where(), delta: text, logprobs });
    },
    addRefusal(text) {
      refusalPart().refusal += text;
      tell('response.refusal.delta', { ...where(), delta: text });
    },
    addAnnotation(annotation) {
      const { annotations } = textPart();
      annotations.push(annotation);
      tell('response.output_text.annotation.added', { ...where(), annotation_index: annotations.length - 1, annotation });
    },
    close(status) {
      closePart();
      item.status = status;
      tell('response.output_item.done', { output_index: index, item });
    },
  };
}
