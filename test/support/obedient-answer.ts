/** What an engine says that does what it is asked to: calls the tool, fills the schema, goes on with a count. */

interface Asked {
  tools?: { function: { name: string; parameters: { required?: string[] } } }[];
  response_format?: { json_schema?: { schema: { required?: string[] } } };
  messages?: { role: string; content: string }[];
}

/** Calls the first tool; null where there is none. */
export function obedientCall(body: object): { name: string; arguments: string } | null {
  const [tool] = (body as Asked).tools ?? [];
  return tool === undefined ? null : { name: tool.function.name, arguments: filled(tool.function.parameters.required) };
}

/** Writes the object that was asked for, or the rest of a count that was begun; null where neither was. */
export function obedientText(body: object): string | null {
  const { response_format: format, messages = [] } = body as Asked;
  if (format !== undefined) return filled(format.json_schema?.schema.required);
  const last = messages.at(-1);
  if (last?.role !== 'assistant') return null;
  const [before = 0, latest = 0] = (last.content.match(/\d+/g) ?? []).slice(-2).map(Number);
  return ` ${[1, 2, 3].map((place) => latest + place * (latest - before)).join(', ')}`;
}

function filled(keys: readonly string[] = []): string {
  return JSON.stringify(Object.fromEntries(keys.map((key) => [key, 'as asked'])));
}
