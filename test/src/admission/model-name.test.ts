import { describe, expect, it } from 'vitest';
import { matchesGlob } from '#src/admission/caller';
import { parseModelName } from '#src/admission/model-name';

describe('model names', () => {
  it.each([
    ['a/b', 'a/b', null],
    ['a/b:floor', 'a/b', 'floor'],
    ['a/b:nitro', 'a/b', 'nitro'],
    ['a/b:free', 'a/b', 'free'],
    ['a/b:attested', 'a/b', 'attested'],
    ['a/b:selfhosted', 'a/b', 'selfhosted'],
    ['a/b:exacto', 'a/b', 'exacto'],
    ['a/b:thinking', 'a/b:thinking', null],
    ['a/b:constructor', 'a/b:constructor', null],
    ['a/b:x:floor', 'a/b:x', 'floor'],
    ['llama3:8b', 'llama3:8b', null],
    [':floor', ':floor', null],
    ['a/b:FLOOR', 'a/b:FLOOR', null],
  ])('%s', (name, base, suffix) => {
    expect(parseModelName(name)).toEqual({ base, suffix });
  });
});

describe('model globs of keys', () => {
  it.each([
    ['qwen/*', 'qwen/qwen3-8b', true],
    ['qwen/*', 'openai/x', false],
    ['*', 'anything', true],
    ['*/x', 'a/x', true],
    ['a*b*c', 'a1b2c', true],
    ['a*b*c', 'ac', false],
    ['ab*ba', 'aba', false],
    ['a*a', 'a', false],
    ['qwen/qwen3-8b', 'qwen/qwen3-8b', true],
    ['qwen/qwen3', 'qwen/qwen3-8b', false],
    ['q.*', 'qwen', false],
  ])('%s on %s: %s', (glob, text, expected) => {
    expect(matchesGlob(glob, text)).toBe(expected);
  });

  it('I5: a hostile glob costs linear time', () => {
    expect(matchesGlob(`${'*a'.repeat(100)}*b`, 'a'.repeat(5000))).toBe(false);
  });
});
