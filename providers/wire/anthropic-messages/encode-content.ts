import { isJsonObject, type JsonObject } from '#providers/wire/json-object';
import { fromBase64 } from '#schema/base64';
import type { ChatMessage } from '#schema/chat';

const DATA_URL = /^data:([a-z0-9.+-]+\/[a-z0-9.+-]+)(?:;[^,;]{1,100})*;base64,/i;
const ADDRESS = /^(?:https?|data):/i;

/**
 * Encodes a message's content as blocks: text and refusals, images by data or address, PDF and text files as documents.
 * Empty text is left out (the API refuses it); parts that have no equivalent pass as they are, for the API to accept or name.
 */
export function encodeContent(content: ChatMessage['content']): unknown[] {
  if (content === null || content === undefined) return [];
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return content.flatMap((part) => encodePart(part));
}

function encodePart(part: JsonObject): unknown[] {
  const cache = part['cache_control'] === undefined ? {} : { cache_control: part['cache_control'] };
  if (part['type'] === 'refusal') return encodeContent(String(part['refusal']));
  if (part['type'] === 'text') return part['text'] === '' ? [] : [{ type: 'text', text: part['text'], ...cache }];
  const image = part['image_url'];
  if (part['type'] === 'image_url') {
    const url = isJsonObject(image) ? image['url'] : image;
    return typeof url === 'string' ? [{ type: 'image', source: toSource(url), ...cache }] : [part];
  }
  const file = part['file'];
  if (part['type'] === 'file' && isJsonObject(file) && typeof file['file_data'] === 'string') {
    const title = typeof file['filename'] === 'string' ? { title: file['filename'] } : {};
    return [{ type: 'document', source: toSource(withType(file['file_data'])), ...title, ...cache }];
  }
  return [part];
}

/** Clients may send the bytes of a file alone; documents that come as bytes are PDF there. */
function withType(fileData: string): string {
  return ADDRESS.test(fileData) ? fileData : `data:application/pdf;base64,${fileData}`;
}

function toSource(url: string): JsonObject {
  const match = DATA_URL.exec(url.slice(0, 300));
  if (match === null) return { type: 'url', url };
  const mediaType = match[1] ?? '';
  const data = url.slice(match[0].length);
  // Files of plain text go as the text itself.
  const bytes = mediaType.startsWith('text/') ? fromBase64(data) : null;
  return bytes === null
    ? { type: 'base64', media_type: mediaType, data }
    : { type: 'text', media_type: 'text/plain', data: new TextDecoder().decode(bytes) };
}
