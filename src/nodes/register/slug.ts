/** Names that people and engines chose, made fit for endpoint ids. Pure. */

const SLUG_CHARS_MAX = 100;

/** Writes a name in lower-case letters, digits, `.`, `_` and `-`: `Qwen/Qwen3-8B-FP8` becomes `qwen-qwen3-8b-fp8`. Never empty. */
export function toSlug(name: string): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[-._]+|[-._]+$/g, '')
    .slice(0, SLUG_CHARS_MAX);
  return slug === '' ? 'model' : slug;
}

/** Names the endpoints of a node after what it calls its models: `<node>` where it has one, else `<node>:<slug>`, each once. */
export function endpointIdsOf(node: string, upstreamModels: readonly string[]): string[] {
  if (upstreamModels.length === 1) return [node];
  const taken = new Set<string>();
  return upstreamModels.map((name) => {
    const slug = toSlug(name);
    let id = `${node}:${slug}`;
    for (let more = 2; taken.has(id); more++) id = `${node}:${slug}-${more}`;
    taken.add(id);
    return id;
  });
}
