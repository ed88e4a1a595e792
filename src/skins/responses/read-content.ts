import type { ContentPart } from '#schema/chat-message';
import type { AnswerContent, InputPart } from '#schema/responses';

/** Reads what anybody but the assistant says as the content of a chat message. */
export function readContent(content: string | readonly InputPart[]): string | ContentPart[] {
  if (typeof content === 'string') return content;
  return content.length === 0 ? '' : content.map(readPart);
}

/** Reads what the assistant said: text and refusal apart, as chat has them. Null where there was none. */
export function readSpoken(content: AnswerContent): { text: string | null; refusal: string | null } {
  if (typeof content === 'string') return { text: content, refusal: null };
  const texts = content.flatMap((part) => (part.type === 'refusal' ? [] : [part.text]));
  const refusals = content.flatMap((part) => (part.type === 'refusal' ? [part.refusal] : []));
  return { text: joinTexts(texts), refusal: joinTexts(refusals) };
}

/** Fields that a part has beyond its own, such as `cache_control`, stay on it. */
function readPart(part: InputPart): ContentPart {
  switch (part.type) {
    case 'input_image': {
      const { image_url: url, detail, ...rest } = part;
      return { ...rest, type: 'image_url', image_url: { url, ...(detail ? { detail } : {}) } };
    }
    case 'input_file': {
      const { filename, file_data: data, file_url: url, ...rest } = part;
      return { ...rest, type: 'file', file: { ...(filename ? { filename } : {}), file_data: data ?? url } };
    }
    case 'input_video': {
      const { video_url: url, ...rest } = part;
      return { ...rest, type: 'video_url', video_url: { url } };
    }
    case 'input_audio':
      return part;
    default: {
      // What an answer has beside its text says nothing to a model.
      const { annotations: _annotations, logprobs: _logprobs, ...rest } = part;
      return { ...rest, type: 'text' };
    }
  }
}

function joinTexts(texts: readonly string[]): string | null {
  return texts.length === 0 ? null : texts.join('');
}
