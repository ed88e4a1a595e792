import type { ChatRequest } from '#schema/chat';

/**
 * Words a wanted JSON answer as an instruction, for vendors that cannot be told in a field; null when no JSON is wanted.
 * `json_schema` includes the schema, `json_object` only the demand.
 */
export function schemaInstruction(format: ChatRequest['response_format']): string | null {
  if (format?.type === 'json_object') return 'Answer with one JSON object and nothing else.';
  if (format?.type !== 'json_schema') return null;
  const schema = JSON.stringify(format.json_schema?.schema ?? {});
  return `Answer with one JSON value and nothing else. It must be valid against this JSON Schema:\n${schema}`;
}
