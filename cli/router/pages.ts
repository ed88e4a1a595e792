/** Lists that the router answers a page at a time. */
import type { Client, Query } from './client.ts';

const PAGE = 100;
/** What a list by cursor answers. */
interface CursorPage<Item> {
  data: Item[];
  next_cursor?: string | null;
}

/** Where a list ends for a person, however long it is. */
const ITEMS_MAX = 20_000;

/** Reads a whole list by its offset, in the order of the router. */
export async function readPages<Item>(client: Client, path: string, query: Query = {}): Promise<Item[]> {
  const items: Item[] = [];
  while (items.length < ITEMS_MAX) {
    const { data } = await client.get<{ data: Item[] }>(path, { ...query, offset: items.length });
    items.push(...data);
    if (data.length < PAGE) break;
  }
  return items;
}

/** Reads a whole list by its cursor, in the order of the router. */
export async function readAll<Item>(client: Client, path: string, query: Query = {}): Promise<{ data: Item[] }> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const page: CursorPage<Item> = await client.get<CursorPage<Item>>(path, { ...query, cursor });
    items.push(...page.data);
    cursor = page.next_cursor ?? null;
  } while (cursor !== null && items.length < ITEMS_MAX);
  return { data: items };
}
