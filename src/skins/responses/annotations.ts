import type { ChatDelta } from '#schema/chat';
import { isJsonObject, type JsonObject } from '../json-object.ts';

/** Reads chat's citations of web pages, which are flat here. Annotations of any other kind have no equivalent. */
export function readAnnotations(delta: ChatDelta): JsonObject[] {
  const annotations = delta['annotations'];
  return Array.isArray(annotations) ? annotations.flatMap(toCitation) : [];
}

function toCitation(annotation: unknown): JsonObject[] {
  if (!isJsonObject(annotation) || !isJsonObject(annotation['url_citation'])) return [];
  const { url_citation: cited } = annotation as { url_citation: JsonObject };
  return [{ start_index: 0, end_index: 0, title: '', ...cited, type: 'url_citation' }];
}
