import { isJsonObject, type JsonObject } from '#providers/wire/json-object';
import type { ChatMessage } from '#schema/chat';

const DATA_URL = /^data:([a-z0-9.+-]+\/[a-z0-9.+-]+)(?:;[^,;]{1,100})*;base64,/i;

/**
 * Encodes a message's content as blocks: text, images by data or address, PDF files as documents.
 * Empty text is left out (the API refuses it); parts that have no equivalent pass as they are, for the API to accept or name.
 */
export function encodeContent(content: ChatMessage['content']): unknown[] {
  if (content === null || content === undefined) return [];
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return content.flatMap((part) => encodePart(part));
}

function encodePart(part: JsonObject): unknown[] {
  const cache = part['cache_control'] === undefined ? {} : { cache_control: part['cache_control'] };
  if (part['type'] === 'text') return part['text'] === '' ? [] : [{ type: 'text', text: part['text'], ...cache }];
  const image = part['image_url'];
  if (part['type'] === 'image_url') {
    const url = isJsonObject(image) ? image['url'] : image;
    return typeof url === 'string' ? [{ type: 'image', source: toSource(url), ...cache }] : [part];
  }
  const file = part['file'];
  if (part['type'] === 'file' && isJsonObject(file) && typeof file['file_data'] === 'string') {
    const title = typeof file['filename'] === 'string' ? { title: file['filename'] } : {};
    return [{ type: 'document', source: toSource(file['file_data']), ...title, ...cache }];
  }
  return [part];
}

function toSource(url: string): JsonObject {
  const match = DATA_URL.exec(url.slice(0, 300));
  if (match === null) return { type: 'url', url };
  return { type: 'base64', media_type: match[1], data: url.slice(match[0].length) };
}
