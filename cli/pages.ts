/** Lists that the router answers a hundred at a time. */
import type { Client, Query } from './client.ts';

const PAGE = 100;
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
