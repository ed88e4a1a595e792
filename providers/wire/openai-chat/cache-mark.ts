import type { JsonObject } from '#providers/wire/json-object';

/** Takes the `cache_control` mark off a part or tool; one without a mark is passed on, not copied. */
export function withoutMark<Marked extends JsonObject>(marked: Marked): Omit<Marked, 'cache_control'> {
  if (marked['cache_control'] === undefined) return marked;
  const { cache_control: _mark, ...plain } = marked;
  return plain;
}
