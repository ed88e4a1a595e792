import { expect, it } from 'vitest';
import { createNesting } from '#src/skins/messages/nesting';
import { randomChunks } from '#test/support/random-chunks';

const WHOLE = ['{}', '{"a":{"b":[1,{}]}}', '{"text":"a } in \\"quotes\\" \\\\"}', ' {"a":"\\u007d"} '];
const OPEN = ['', '  ', '{', '{"a":{}', '{"a":"}', '{"a":"\\"}"', '"text"'];

function isClosed(pieces: readonly string[]): boolean {
  const nesting = createNesting();
  for (const piece of pieces) nesting.add(piece);
  return nesting.isClosed();
}

it.each(WHOLE)('is closed at the end of %s and not before, however it is cut', (json) => {
  for (let seed = 0; seed < 10; seed++) {
    const decoder = new TextDecoder();
    expect(isClosed(randomChunks(json, seed, 3).map((bytes) => decoder.decode(bytes)))).toBe(true);
  }
  expect(isClosed([json.trimEnd().slice(0, -1)])).toBe(false);
});

it.each(OPEN)('is open at the end of %s', (json) => {
  expect(isClosed([json])).toBe(false);
});
