/** Lists by id, a page at a time: the cursor is the id that the page before ended with. */
import { z } from 'zod';
import { whole } from './read-query.ts';

/** Fields of a query for a list whose pages hold `pageMax` items at most, and that many where it does not say. */
export function pageFields(pageMax: number) {
  return {
    limit: whole.pipe(z.number().min(1).max(pageMax)).default(pageMax).describe(`Items of one page, at most ${pageMax}.`),
    cursor: z
      .string()
      .regex(/^[\x21-\x7e]{1,200}$/, 'expected the next_cursor of the page before')
      .optional()
      .describe('The `next_cursor` of the page before.'),
  };
}

/** Which part of a list by id is meant. `afterId` null: from its beginning. */
export interface Page {
  afterId: string | null;
  limit: number;
}

/** Cuts a page of what was found: one more than asked tells whether there is a next one. */
export function toPage<Item extends { id: string }>(found: readonly Item[], limit: number): { data: Item[]; next_cursor: string | null } {
  const data = found.slice(0, limit);
  return { data, next_cursor: found.length > limit ? (data.at(-1)?.id ?? null) : null };
}
