import { describe, expect, it } from 'vitest';
import { chatRequest } from '#schema/chat';
import type { Affinity } from '#schema/facts';
import { promptTokens } from '#src/admission/estimate-tokens';
import { chatFacts } from '#src/admission/facts';

const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const system = (content: string) => ({ role: 'system', content });
const LONG = 'a'.repeat(4 * 1_100);

function affinity(fields: Record<string, unknown>, teamId = 'team'): Affinity | undefined {
  return chatFacts(read(fields), { teamId, freeOnly: false }).affinity;
}

function read(fields: Record<string, unknown>) {
  return chatRequest.parse({ model: 'a/b', messages: [user('hello')], ...fields });
}

function keyOf(fields: Record<string, unknown>, teamId?: string): string {
  return affinity(fields, teamId)?.key ?? expect.fail('no affinity');
}

describe('which conversation', () => {
  it('is the session, else the cache key, else the opening; short questions have none', () => {
    const session = { session_id: 's', prompt_cache_key: 'c' };
    expect(affinity(session)).toMatchObject({ isNamed: true, key: keyOf({ session_id: 's', messages: [user('something else')] }) });
    expect(affinity({ prompt_cache_key: 'c' })).toMatchObject({ isNamed: true, prefixTokens: 0 });
    expect(keyOf({ prompt_cache_key: 's' })).not.toBe(keyOf({ session_id: 's' }));
    expect(affinity({})).toBeUndefined();
    expect(affinity({ session_id: '', prompt_cache_key: '' })).toBeUndefined();
    expect(affinity({ prompt_cache_key: 7 })).toBeUndefined();
    expect(affinity({ messages: [user(LONG)] })).toMatchObject({ isNamed: false, prefixTokens: 0 });
  });

  it('stays the same while it goes on', () => {
    const opening = [system('Be brief.'), user('What is a headrace?')];
    const turns = [...opening, assistant('A channel.'), user('And a tailrace?')];
    const key = keyOf({ messages: turns });
    expect(keyOf({ messages: [...turns, assistant('Another.'), user('Thanks.')] })).toBe(key);
    expect(keyOf({ messages: [...opening, assistant('Something else.'), user('Why?')] })).toBe(key);
    expect(keyOf({ messages: [user('What is a headrace?'), ...turns.slice(2)] })).not.toBe(key);
    expect(keyOf({ messages: [system('Be brief.'), user('Who?'), ...turns.slice(2)] })).not.toBe(key);
    expect(keyOf({ messages: turns, user: 'ann' })).not.toBe(key);
    expect(keyOf({ messages: turns, model: 'a/c' })).not.toBe(key);
  });

  it('is told by about two thousand tokens of what it opens with', () => {
    const opening = (end: string) => ({ messages: [system('b'.repeat(8_192)), user(end)] });
    expect(keyOf(opening('one'))).toBe(keyOf(opening('two')));
    const shorter = (end: string) => ({ messages: [system('b'.repeat(8_000)), user(end)] });
    expect(keyOf(shorter('one'))).not.toBe(keyOf(shorter('two')));
  });

  it('reads texts in parts, and media as being there', () => {
    const image = { type: 'image_url', image_url: { url: 'https://x/y.png' } };
    const turns = (...parts: object[]) => ({ messages: [user(parts), assistant('x'), user('y')] });
    const key = keyOf(turns({ type: 'text', text: 'look' }, image));
    expect(key).not.toBe(keyOf(turns({ type: 'text', text: 'look' })));
    expect(key).not.toBe(keyOf(turns({ type: 'text', text: 'hear' }, image)));
  });

  it('is another for another team, and its key shows nothing of it', () => {
    const names = Array.from({ length: 2_000 }, (_, place) => `s${place}`);
    const keys = ['team', 'rivals', 'tea'].flatMap((team) => names.map((name) => keyOf({ session_id: name }, team)));
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('the prefix', () => {
  it('is everything but what the last turn added', () => {
    const messages = [system('c'.repeat(400)), user('d'.repeat(80)), assistant('e'.repeat(200)), user('f'.repeat(40))];
    const whole = promptTokens(read({ messages }));
    expect(affinity({ messages })?.prefixTokens).toBe(whole - 14);
    const tool = { role: 'tool', tool_call_id: '1', content: 'g'.repeat(400) };
    expect(affinity({ messages: [...messages.slice(0, 3), tool, user('h'.repeat(40))] })?.prefixTokens).toBe(whole - 14);
  });

  it('does not hold a partial answer that is to be continued', () => {
    expect(affinity({ session_id: 's', messages: [user('hello'), assistant('Hel')] })?.prefixTokens).toBe(0);
  });

  it('is empty on a first turn', () => {
    expect(affinity({ session_id: 's' })?.prefixTokens).toBe(0);
  });
});
