import { beforeEach, describe, expect, it, vi } from 'vitest';
import { PATIENCE } from '#test/support/patience';
import { FakeNode, fakeDocument, loadPart } from './fake-document.ts';

let node: FakeNode;
beforeEach(() => {
  fakeDocument();
  node = new FakeNode('div');
});

/** A promise that is settled from outside. */
function later<Value>() {
  let settle: { resolve(value: Value): void; reject(failure: Error): void } | undefined;
  const promise = new Promise<Value>((resolve, reject) => (settle = { resolve, reject }));
  return { promise, resolve: (value: Value) => settle?.resolve(value), reject: (failure: Error) => settle?.reject(failure) };
}

type Fill = (node: FakeNode, read: () => Promise<string>, draw: (text: string) => string[]) => Promise<void>;
const fill = async (...values: Parameters<Fill>) => ((await loadPart('fill'))['fill'] as unknown as Fill)(...values);

describe('fill', () => {
  it('says that it loads, then shows the answer', async () => {
    const answer = later<string>();
    const filled = fill(
      node,
      () => answer.promise,
      (text) => [text],
    );
    await vi.waitFor(() => expect(node.text).toBe('Loading…'), PATIENCE);
    expect(node.attributes.get('aria-busy')).toBe('true');
    answer.resolve('here');
    await filled;
    expect([node.text, node.attributes.has('aria-busy')]).toEqual(['here', false]);
  });

  it.each(['answer', 'failure'])('drops the slow %s to an older question', async (kind) => {
    const slow = later<string>();
    const old = fill(
      node,
      () => slow.promise,
      (text) => [text],
    );
    await fill(
      node,
      async () => 'new',
      (text) => [text],
    );
    if (kind === 'answer') slow.resolve('old');
    else slow.reject(new Error('old'));
    await old;
    expect(node.text).toBe('new');
  });

  it('shows why it failed, and tries again when asked to', async () => {
    const read = vi.fn<() => Promise<string>>().mockRejectedValueOnce(new Error('no way through')).mockResolvedValueOnce('here');
    await fill(node, read, (text) => [text]);
    expect(node.text).toContain('no way through');
    await node.button('Try again').fire('click');
    await vi.waitFor(() => expect(node.text).toBe('here'), PATIENCE);
  });
});

describe('openPages', () => {
  async function open(pages: Record<number, { items: string[]; next: number | null }>) {
    const read = vi.fn(async (from: number) => pages[from]);
    const load = (await loadPart('fill'))['openPages']?.(
      node as never,
      { start: 0, read, draw: (items: string[]) => items } as never,
    ) as () => Promise<void>;
    await load();
    return { load, read };
  }

  it('turns pages forth and back, and reloads the one that is open', async () => {
    const { load, read } = await open({ 0: { items: ['a'], next: 100 }, 100: { items: ['b'], next: null } });
    expect(node.button('Back').disabled).toBe(true);
    await node.button('Next').fire('click');
    await vi.waitFor(() => expect(node.text).toContain('b'), PATIENCE);
    expect([node.button('Next').disabled, node.text]).toEqual([true, 'bBackNextPage 2']);
    await load();
    expect(read).toHaveBeenLastCalledWith(100);
    await node.button('Back').fire('click');
    await vi.waitFor(() => expect(node.text).toContain('Page 1'), PATIENCE);
    expect(node.text).toContain('a');
  });

  it('has nothing to turn where one page is all', async () => {
    await open({ 0: { items: ['a'], next: null } });
    expect(node.text).toBe('a');
  });
});
