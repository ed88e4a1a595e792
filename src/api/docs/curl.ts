/** An operation as a command that can be copied. */
import { ownParameters, type Operation, type Place } from './document.ts';

/** Stands for the origin of the page until it is known. */
export const ORIGIN_MARK = 'https://headrace.invalid';

/** Puts examples into the path; what has none is left to a variable of the shell. */
export function examplePath({ path, operation }: Place): string {
  const examples = new Map(ownParameters(operation).map(({ name, example }) => [name, example]));
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => examples.get(name) ?? `$${name.toUpperCase()}`);
}

/** Writes the examples of the query, with its question mark; nothing where there are none. */
export function exampleQuery(operation: Operation): string {
  const given = ownParameters(operation).flatMap((parameter) =>
    parameter.in === 'query' && parameter.example ? [[parameter.name, parameter.example]] : [],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

/** Writes the command. */
export function toCurl(place: Place): string {
  const { method, operation } = place;
  const body = exampleBody(operation);
  const lines = [
    `curl ${method === 'get' || body !== undefined ? '' : `-X ${method.toUpperCase()} `}"${ORIGIN_MARK}${examplePath(place)}${exampleQuery(operation)}"`,
    ...(method === 'patch' ? ['-X PATCH'] : []),
    ...keyHeader(operation),
    ...(body === undefined
      ? []
      : ['-H "Content-Type: application/json"', `-d '${JSON.stringify(body, null, 2).replaceAll("'", String.raw`'\''`)}'`]),
    ...(isBinary(operation) ? ['-o answer.mp3'] : []),
  ];
  return lines.join(' \\\n  ');
}

/** The example of the JSON body; undefined where the operation takes none. */
export function exampleBody({ requestBody }: Operation): unknown {
  return requestBody?.content['application/json']?.example;
}

function keyHeader({ security }: Operation): string[] {
  const [first = {}] = security;
  if (security.length === 0 || security.some((way) => Object.keys(way).length === 0)) return [];
  return [`-H "Authorization: Bearer $${'managementKey' in first ? 'HEADRACE_MANAGEMENT_KEY' : 'HEADRACE_KEY'}"`];
}

function isBinary({ responses }: Operation): boolean {
  return Object.values(responses).some((response) => 'content' in response && 'audio/*' in response.content);
}
