import { describe, expect, it } from 'vitest';
import type { Client, Query } from '#cli/router/client';
import { readAll } from '#cli/router/pages';

function clientOf(pages: Record<string, { data: string[]; next_cursor?: string | null }>): { client: Client; asked: Query[] } {
  const asked: Query[] = [];
  const get = async (_path: string, query: Query = {}) => (asked.push(query), pages[String(query.cursor)] ?? { data: [] });
  return { client: { get } as unknown as Client, asked };
}

describe('a list by cursor', () => {
  it('is read to its end, with the same query for each page', async () => {
    const { client, asked } = clientOf({
      null: { data: ['a', 'b'], next_cursor: 'b' },
      b: { data: ['c'], next_cursor: null },
    });
    expect(await readAll(client, '/endpoints', { state: 'active' })).toEqual({ data: ['a', 'b', 'c'] });
    expect(asked).toEqual([
      { state: 'active', cursor: null },
      { state: 'active', cursor: 'b' },
    ]);
  });

  it('is whole where a router knows no pages', async () => {
    expect(await readAll(clientOf({ null: { data: ['a'] } }).client, '/nodes')).toEqual({ data: ['a'] });
  });
});
