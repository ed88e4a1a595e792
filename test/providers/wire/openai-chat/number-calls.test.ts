import { expect, it } from 'vitest';
import { createCallNumbers } from '#providers/wire/openai-chat/number-calls';
import type { ChatChoice } from '#schema/chat';

type Piece = [index: number, id?: string | undefined, name?: string];

/** What becomes of pieces that come one by one. */
function settled(pieces: readonly Piece[], upstreamId: string | null = 'up-1'): { index?: number; id?: string }[] {
  const number = createCallNumbers();
  return pieces.map(([index, id, name]) => {
    const call = { index, ...(id !== undefined && { id }), function: { ...(name && { name }), arguments: '' } };
    number([{ index: 0, finish_reason: null, delta: { tool_calls: [call] } }], upstreamId);
    return call;
  });
}

const numbered = (pieces: readonly Piece[]) => settled(pieces).map(({ index }) => index);
const named = (pieces: readonly Piece[], upstreamId?: string | null) => settled(pieces, upstreamId).map(({ id }) => id);
const OURS = expect.stringMatching(/^call_[0-9a-f]{24}$/);

it.each<[what: string, pieces: Piece[], numbers: number[]]>([
  ['calls with an index each stay as they are, in any order', [[1, 'b', 'g'], [0, 'a', 'f'], [1], [0]], [1, 0, 1, 0]],
  ['calls that share an index are told apart', [[0, 'a', 'f'], [0], [0, 'b', 'g'], [0], [0, 'c', 'f']], [0, 0, 1, 1, 2]],
  ['a number that was given away is not given again', [[0, 'a', 'f'], [0, 'b', 'g'], [1, 'c', 'h'], [1], [0]], [0, 1, 2, 2, 1]],
  [
    'an id that comes with every piece is the same call',
    [
      [0, 'a', 'f'],
      [0, 'a', 'f'],
      [0, 'a'],
    ],
    [0, 0, 0],
  ],
  [
    'an id that changes without a name is the same call',
    [
      [0, 'a', 'f'],
      [0, 'b'],
    ],
    [0, 0],
  ],
  [
    'an id that comes late is the same call',
    [
      [0, undefined, 'f'],
      [0, 'a', 'f'],
    ],
    [0, 0],
  ],
])('%s', (_, pieces, numbers) => {
  expect(numbered(pieces)).toEqual(numbers);
});

it('remembers no more calls than any answer makes', () => {
  const numbers = numbered(Array.from({ length: 3000 }, (_, place) => [0, `id-${place}`, 'f']));
  expect(Math.max(...numbers.map(Number))).toBe(1023);
});

it('choices have numbers of their own', () => {
  const number = createCallNumbers();
  const choices = [0, 1].map((index): ChatChoice => ({
    index,
    finish_reason: null,
    delta: { tool_calls: [{ index: 0, id: `c${index}`, function: { name: 'f' } }] },
  }));
  number(choices, null);
  expect(choices.map(({ delta }) => delta?.tool_calls?.[0]?.index)).toEqual([0, 0]);
});

it.each<[what: string, pieces: Piece[], ids: unknown[]]>([
  ['a call without an id gets one, once', [[0, undefined, 'f'], [0]], [OURS, undefined]],
  ['an empty id is none', [[0, '', 'f']], [OURS]],
  ["the upstream's id is kept", [[0, 'a', 'f'], [0]], ['a', undefined]],
  [
    'an id that comes late is not told: the client knows ours',
    [
      [0, undefined, 'f'],
      [0, 'a'],
    ],
    [OURS, undefined],
  ],
  ['an id that comes late, but with the name, is told', [[0], [0, 'a', 'f']], [undefined, 'a']],
])('%s', (_, pieces, ids) => {
  expect(named(pieces)).toEqual(ids);
});

it('ids differ between calls and between answers, and are short enough for every vendor', () => {
  const calls: Piece[] = [
    [0, undefined, 'f'],
    [1, undefined, 'f'],
  ];
  const ids = [...named(calls, 'up-1'), ...named(calls, 'up-2'), ...named(calls, null)];
  expect(new Set(ids).size).toBe(6);
  expect(Math.max(...ids.map((id) => id?.length ?? 0))).toBeLessThanOrEqual(40);
});
