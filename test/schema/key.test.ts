import { describe, expect, it } from 'vitest';
import { createKey, keyLabel } from '#schema/key';

describe('labels of keys', () => {
  it.each([
    [`sk-hr-abc${'x'.repeat(37)}xyz`, 'sk-hr-abc...xyz'],
    [`sk-hr-mgmt-abc${'x'.repeat(37)}xyz`, 'sk-hr-mgmt-abc...xyz'],
  ])('tell %s apart and give six characters away', (token, label) => {
    expect(keyLabel(token)).toBe(label);
  });
});

describe('the wish for a key', () => {
  it.each(['team key', '鍵🗝️', 'a'.repeat(100)])('may be called %s', (name) => {
    expect(createKey.parse({ name: ` ${name} ` }).name).toBe(name);
  });

  it.each(['', '  ', 'a\u0000b', 'a\u0085b', 'a\nb', 'a'.repeat(101)])('may not be called %j', (name) => {
    expect(createKey.safeParse({ name }).success).toBe(false);
  });

  it('takes null for people and partners, who have no keys here', () => {
    expect(createKey.safeParse({ name: 'x', creator_user_id: null, external: null }).success).toBe(true);
    expect(createKey.safeParse({ name: 'x', creator_user_id: 'user_1' }).success).toBe(false);
  });
});
