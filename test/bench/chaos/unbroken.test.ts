import { expect, test } from 'vitest';
import { compareWithUnbroken, composeUnbroken } from '#bench/chaos/unbroken';
import { REQUEST } from './support.ts';

const WHOLE = composeUnbroken(REQUEST, 'miner-swift') ?? '';

test('the unbroken answer names its author and has the sentences that were asked for', () => {
  expect(WHOLE).toMatch(/^\[simulated by miner-swift\] /);
  expect(WHOLE.match(/\./g)).toHaveLength(6);
  expect(composeUnbroken(REQUEST, 'miner-vector')).toBeNull();
});

test('a whole answer is exact only to the last byte', () => {
  expect(compareWithUnbroken(REQUEST, WHOLE, false)).toBe('exact');
  expect(compareWithUnbroken(REQUEST, WHOLE.slice(0, -1), false)).toBe('other_end');
  expect(compareWithUnbroken(REQUEST, `${WHOLE} more`, false)).toBe('garbled');
});

test('an answer that a limit ended elsewhere has another end, and no other words', () => {
  const limited = { ...REQUEST, maxTokens: 40 };
  const text = composeUnbroken(limited, 'miner-swift') ?? '';
  expect(compareWithUnbroken(limited, text, false)).toBe('exact');
  expect(compareWithUnbroken(limited, WHOLE.slice(0, text.length + 20), false)).toBe('other_end');
});

test('a part is exact when the unbroken answer begins with it, its label included', () => {
  for (const length of [0, 1, 12, 20, 60]) expect(compareWithUnbroken(REQUEST, WHOLE.slice(0, length), true)).toBe('exact');
});

test('JSON is the same from everybody and has no label', () => {
  const request = { ...REQUEST, jsonItems: 30 };
  const json = composeUnbroken(request, 'rig-4090-a') ?? '';
  expect(JSON.parse(json).list).toHaveLength(30);
  expect(compareWithUnbroken(request, json, false)).toBe('exact');
  expect(compareWithUnbroken(request, json.slice(0, 99), true)).toBe('exact');
  expect(compareWithUnbroken(request, json.replace('wheel', 'whale'), false)).toBe('garbled');
});

test('a word lost, repeated or changed at a seam is found', () => {
  const at = WHOLE.indexOf(' ', 60);
  const lost = WHOLE.slice(0, at) + WHOLE.slice(at + 5);
  const repeated = WHOLE.slice(0, at) + WHOLE.slice(at - 5);
  const labelled = `${WHOLE.slice(0, at)} [simulated by rig-4090-a]${WHOLE.slice(at)}`;
  const halved = WHOLE.replace('ä', '\uFFFD');
  for (const text of [lost, repeated, labelled, halved]) {
    expect(text).not.toBe(WHOLE);
    expect(compareWithUnbroken(REQUEST, text, false)).toBe('garbled');
  }
});
