import { describe, expect, it } from 'vitest';
import { plain } from '#cli/output';
import { countChanges, showChanges } from '#cli/show/changes';
import type { Change } from '#schema/change';

const show = (changes: Change[], width = 80): string[] => showChanges(changes, { width, paint: plain });

describe('the difference between a deployment and a manifest', () => {
  it('groups by object, and tells a change field by field', () => {
    const fields = { 'max_price.prompt': { from: 0.6, to: 0.4 }, only: { from: null, to: ['chutes', 'groq'] } };
    expect(show([{ object: 'policies', id: 'eu', action: 'change', fields }])).toEqual([
      'policies',
      '  ~ eu',
      '      max_price.prompt  0.6 → 0.4',
      '      only              (none) → ["chutes","groq"]',
    ]);
  });

  it('counts what came with the catalogue instead of listing it', () => {
    const model = (id: number): Change => ({ object: 'models', id: `m${id}`, action: 'add', fields: {} });
    const written: Change = { object: 'models', id: 'mine', action: 'add', fields: { context: { from: null, to: 8192 } } };
    expect(show([...Array.from({ length: 1200 }, (_, id) => model(id)), written])).toEqual([
      'models',
      '  + 1,200 of the catalogue',
      '  + mine  context: 8192',
    ]);
  });

  it('lists what somebody wrote, even where it says nothing', () => {
    expect(show([{ object: 'policies', id: 'balanced', action: 'remove', fields: {} }])).toEqual(['policies', '  - balanced']);
  });

  it('says what becomes of a key that the file names no longer', () => {
    expect(show([{ object: 'keys', id: 'web/ci', action: 'disable', fields: {} }])[1]).toBe('  ! web/ci  disabled; --prune deletes it');
    expect(show([{ object: 'keys', id: 'web/ci', action: 'remove', fields: { policy: { from: 'eu', to: null } } }])[1]).toBe('  - web/ci');
  });

  it.each([60, 80, 120])('fits %d columns, however long a value is', (width) => {
    const fields = { models: { from: 'a'.repeat(300), to: Array.from({ length: 90 }, () => 'qwen/qwen3-8b') } };
    for (const action of ['add', 'change'] as const)
      for (const line of show([{ object: 'keys', id: 'web/ci', action, fields }], width)) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('lets no name of others move the cursor', () => {
    const change: Change = { object: 'keys', id: 'a\u001b[2Jb', action: 'change', fields: { name: { from: '\u001b[31m', to: 'x\ny' } } };
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(show([change]).join('')).not.toMatch(/[\u0000-\u001f]/);
  });

  it('counts by object and action', () => {
    const change = (object: string, action: Change['action']): Change => ({ object, id: 'x', action, fields: {} });
    expect(
      countChanges([
        change('policies', 'change'),
        change('teams', 'add'),
        change('teams', 'add'),
        change('teams', 'remove'),
        change('keys', 'disable'),
      ]),
    ).toBe('policies ~1, teams +2 -1, keys !1');
    expect(countChanges([])).toBe('');
  });
});
