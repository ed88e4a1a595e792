import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeList, operatorList, registeredEndpointList } from '#schema/answers/operators';
import { openOperatorsHouse, type OperatorsHouse } from '#test/support/operators-house';

const NAMES = ['ann', 'ben', 'cat', 'dan', 'eve'];
let open: OperatorsHouse;

beforeAll(async () => {
  open = await openOperatorsHouse();
  for (const name of NAMES) await open.operator(name);
  const db = await open.house.db();
  const [columns, values] = ['id, operator_id, public_key, description, drained, joined_at_ms', "'k', '{}', 0, 1"];
  for (const name of NAMES) {
    await db.prepare(`INSERT INTO nodes (${columns}) VALUES (?1, ?1, ${values})`).bind(name).run();
    await open.register(open.wish(`${name}-rack`, { operator: name }));
  }
});
afterAll(() => open.stop());

/** Reads a list page by page; the ids of each page. */
async function pagesOf(path: string, query = ''): Promise<string[][]> {
  const pages: string[][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const response = await open.manage('GET', `${path}?limit=2${query}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    const body = (await response.json()) as { data: { id: string }[]; next_cursor: string | null };
    pages.push(body.data.map(({ id }) => id));
    cursor = body.next_cursor;
  }
  return pages;
}

describe('lists of what has registered', () => {
  it('come page by page, each item once, and say where they end', async () => {
    expect(await pagesOf('/operators')).toEqual([['ann', 'ben'], ['cat', 'dan'], ['eve']]);
    expect(await pagesOf('/nodes')).toEqual([['ann', 'ben'], ['cat', 'dan'], ['eve']]);
    expect((await pagesOf('/endpoints')).flat()).toEqual(NAMES.map((name) => `${name}-rack`));
    expect(await pagesOf('/endpoints', '&operator=cat')).toEqual([['cat-rack']]);
  });

  it('are whole on one page unless a page is asked for, and are what their contract says', async () => {
    for (const [path, contract] of [
      ['/operators', operatorList],
      ['/endpoints', registeredEndpointList],
    ] as const) {
      const { data, next_cursor: next } = contract.parse(await (await open.manage('GET', path)).json());
      expect([data.length, next]).toEqual([NAMES.length, null]);
    }
    const { data } = (await (await open.manage('GET', '/nodes')).json()) as { data: { id: string; endpoints: unknown[] }[] };
    expect(data.map(({ id }) => id)).toEqual(NAMES);
    expect(nodeList.shape.next_cursor.parse(null)).toBeNull();
  });

  it.each(['limit=0', 'limit=1001', 'cursor=', 'cursor=%20', 'page=2'])('refuse %s with the name of the field', async (query) => {
    const response = await open.manage('GET', `/operators?${query}`);
    expect(response.status).toBe(400);
  });
});
