import type { ContentPart } from '#schema/chat-message';
import type { MessageBlock } from '#schema/messages';

type ContentBlock = Extract<MessageBlock, { type: 'text' | 'image' | 'document' | 'search_result' | 'other' }>;
type ImageBlock = Extract<MessageBlock, { type: 'image' }>;
type DocumentBlock = Extract<MessageBlock, { type: 'document' }>;

/**
 * Reads one block of content as parts of the common shape, with its cache mark on the last of them. Text documents and search results
 * become text under their title; blocks without other words stay as they are.
 */
export function toParts(block: ContentBlock): ContentPart[] {
  if (block.type === 'other') return [block.block];
  return withMark(partsOf(block), block['cache_control']);
}

/** Puts a cache mark on the last of some parts; what is marked is everything up to there. */
export function withMark(parts: ContentPart[], mark: unknown): ContentPart[] {
  const last = parts.at(-1);
  return mark && last ? [...parts.slice(0, -1), { ...last, cache_control: mark }] : parts;
}

/** Says parts as content: plain text alone is a string, which every chat template takes. */
export function toContent(parts: ContentPart[]): string | ContentPart[] {
  const [only] = parts;
  if (only === undefined) return '';
  return parts.length === 1 && only.type === 'text' && !only['cache_control'] ? String(only['text']) : parts;
}

function partsOf(block: Exclude<ContentBlock, { type: 'other' }>): ContentPart[] {
  switch (block.type) {
    case 'text':
      return textParts(block.text);
    case 'image':
      return [toImagePart(block)];
    case 'document':
      return toDocumentParts(block);
    case 'search_result':
      return textParts(joinLines(block.title, block.source, ...block.content.map(({ text }) => text)));
  }
}

function textParts(text: string): ContentPart[] {
  return text === '' ? [] : [{ type: 'text', text }];
}

function toImagePart({ source }: ImageBlock): ContentPart {
  const url = source.type === 'base64' ? toDataUrl(source.media_type, source.data) : String(source['url']);
  return { type: 'image_url', image_url: { url } };
}

function toDocumentParts({ source, title, context }: DocumentBlock): ContentPart[] {
  const heading = textParts(joinLines(title, context));
  switch (source.type) {
    case 'text':
      return textParts(joinLines(title, context, source.data));
    case 'content':
      return typeof source.content === 'string'
        ? textParts(joinLines(title, context, source.content))
        : [...heading, ...source.content.flatMap(toParts)];
    case 'base64':
      return [...textParts(context ?? ''), toFilePart(title, toDataUrl(source.media_type, source.data))];
    default:
      return [...textParts(context ?? ''), toFilePart(title, String(source['url']))];
  }
}

function toFilePart(title: string | null | undefined, data: string): ContentPart {
  return { type: 'file', file: { filename: title ?? 'document.pdf', file_data: data } };
}

function toDataUrl(mediaType: string, data: string): string {
  return `data:${mediaType};base64,${data}`;
}

function joinLines(...lines: (string | null | undefined)[]): string {
  return lines.filter(Boolean).join('\n');
}
