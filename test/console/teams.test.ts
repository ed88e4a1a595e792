import { beforeEach, describe, expect, it } from 'vitest';
import { FakeNode, fakeDocument, loadPart } from './fake-document.ts';

const EVIL = '<img src=x onerror=alert(1)>';
const TAGS = new Set([
  'span',
  'b',
  'p',
  'div',
  'dl',
  'dt',
  'dd',
  'ul',
  'ol',
  'li',
  'code',
  'button',
  'details',
  'summary',
  'label',
  'select',
]);
const NOW_MS = Date.UTC(2026, 10, 22, 12);

/** Calls an exported function of a part. */
async function build(part: string, name: string, ...values: unknown[]): Promise<FakeNode> {
  const host = new FakeNode('div');
  host.append((await loadPart(part))[name]?.(...(values as never[])) as FakeNode);
  return host;
}

beforeEach(fakeDocument);

const budget = {
  usd: 10,
  per: 'month',
  spent_usd: 4,
  held_usd: 1,
  remaining_usd: 5,
  resets_at: '2026-12-01T00:00:00.000Z',
};
const team = {
  id: 'research',
  policy: 'batch',
  budget,
  limits: { requests_per_minute: 600, tokens_per_minute: 1_200_000 },
  credits: null,
  keys: 3,
  source: 'account',
};
const key = {
  hash: 'aa',
  name: 'ci',
  label: 'sk-hr-abc...xyz',
  disabled: false,
  usage: 0.0012,
  limit: 5,
  limit_reset: 'daily',
  limit_remaining: 4.9988,
  byok_usage: 0,
  expires_at: null,
  headrace: { policy: null, models: null, limits: null, source: 'api', previous: null },
};
const change = {
  id: '1',
  at: '2026-11-22T10:00:05.000Z',
  actor: 'key-1',
  action: 'key.update',
  object: 'key:2',
  from_version: null,
  to_version: null,
  changes: { limit: { from: 5, to: null } },
};
const acts = { onEnable() {}, onDisable() {}, onRotate() {} };

describe('a team', () => {
  it('shows its policy, budget, limits and number of keys, and when the budget begins anew in UTC', async () => {
    const { words } = await build('team', 'teamRow', team, NOW_MS);
    expect(words).toContain('policy batch 3 enabled keys');
    expect(words).toContain('$4.00  of $10.00 a month');
    expect(words).toContain('$1.00 held · $5.00 left · anew 2026-12-01 00:00 UTC, in 9 days');
    expect(words).toContain('600 requests a minute 1.2M tokens a minute');
    expect(words).toContain('no prepaid credits');
  });

  it.each([
    [4, 1, 'fine', 0.4, 0.1],
    [9.5, 1, 'scarce', 0.95, 0.05],
    [10, 0, 'gone', 1, 0],
    [12, 3, 'gone', 1, 0],
  ])('draws %d spent and %d held of 10 as %s, within the bar', async (spent, held, level, spentShare, heldShare) => {
    const row = await build('team', 'teamRow', { ...team, budget: { ...budget, spent_usd: spent, held_usd: held } }, NOW_MS);
    const [bar] = row.ofClass('track');
    expect(bar?.attributes.get('data-level')).toBe(level);
    expect(bar?.properties.get('--spent')).toBeCloseTo(spentShare);
    expect(bar?.properties.get('--held')).toBeCloseTo(heldShare);
  });

  it('says what it does not know: what is held when only the books answer', async () => {
    const row = await build(
      'team',
      'teamRow',
      { ...team, source: 'journal', budget: { ...budget, held_usd: null, resets_at: null } },
      NOW_MS,
    );
    expect(row.words).toContain('held: not known now · $5.00 left · never begins anew');
    expect(row.words).toContain('seconds behind');
  });

  it('shows prepaid credits with what is left of them', async () => {
    const credits = { total_usd: 20, used_usd: 0.0012, remaining_usd: 19.9988 };
    const row = await build('team', 'teamRow', { ...team, budget: null, limits: null, credits }, NOW_MS);
    expect(row.words).toContain('no budget');
    expect(row.words).toContain('no limits');
    expect(row.words).toContain('$0.0012 used of $20.00');
  });
});

describe('a key', () => {
  it('made here can be disabled and rotated, a disabled one enabled', async () => {
    const disabled = { ...key, name: 'old', disabled: true };
    const list = await build('team-keys', 'keyList', [key, disabled], acts, NOW_MS);
    const labels = list.nodes.filter(({ tag }) => tag === 'button').map(({ attributes }) => attributes.get('aria-label'));
    expect(labels).toEqual(['Disable ci', 'Rotate ci', 'Enable old', 'Rotate old']);
    expect(list.words).toContain('$5.00 left of $5.00 a day');
  });

  it('of the manifest has no buttons, which the router would refuse', async () => {
    const list = await build('team-keys', 'keyList', [{ ...key, headrace: { ...key.headrace, source: 'manifest' } }], acts, NOW_MS);
    expect(list.tags).not.toContain('button');
    expect(list.words).toContain('changed in headrace.yaml');
  });

  it.each([
    ['expired', { expires_at: '2026-11-22T11:59:00.000Z' }],
    [
      'old value works until 2026-11-23 08:00 UTC',
      { headrace: { ...key.headrace, previous: { hash: 'bb', works_until: '2026-11-23T08:00:00.000Z' } } },
    ],
  ])('that is so says: %s', async (state, fields) => {
    expect((await build('team-keys', 'keyList', [{ ...key, ...fields }], acts, NOW_MS)).words).toContain(state);
    expect((await build('team-keys', 'keyList', [key], acts, NOW_MS)).words).not.toContain(state);
  });
});

describe('the wish for a key', () => {
  const read = async (fields: Record<string, string>) =>
    (await loadPart('key-wish'))['toKeyWish']?.({ get: (name: string) => fields[name] ?? '' } as never, 'research' as never);

  it('leaves out what was left empty', async () => {
    expect(await read({ name: ' ci ', limit_reset: 'daily' })).toEqual({ team: 'research', name: 'ci' });
  });

  it('writes what was filled in under the names of the API', async () => {
    const fields = {
      name: 'ci',
      limit: '2.5',
      limit_reset: '',
      tokens_per_minute: '1000',
      concurrent: '4',
      models: 'qwen/*, ,a/b',
      policy: 'batch',
      expires: '2027-01-31',
    };
    expect(await read(fields)).toEqual({
      team: 'research',
      name: 'ci',
      limit: 2.5,
      limit_reset: null,
      limits: { tokens_per_minute: 1000, concurrent: 4 },
      models: ['qwen/*', 'a/b'],
      policy: 'batch',
      expires_at: '2027-01-31T00:00:00Z',
    });
  });

  it('limits money also to nothing at all', async () => {
    expect(await read({ name: 'ci', limit: '0' })).toMatchObject({ limit: 0, limit_reset: null });
  });
});

describe('the audit trail', () => {
  it('says who changed what, when in UTC, and from which value to which', async () => {
    const { words } = await build('trail', 'changeList', [change]);
    expect(words).toContain('2026-11-22 10:00:05 UTC');
    expect(words).toMatch(/key\.update .*key:2 .*by {2}key-1 .*limit {2}5 {2}→ {2}–/);
  });

  it('names versions of the manifest, and not those of keys, which are instants', async () => {
    const applied = { ...change, from_version: '3', to_version: '4' };
    expect((await build('trail', 'changeList', [applied])).words).toContain('version 3 → 4');
    expect((await build('trail', 'changeList', [{ ...change, to_version: '1795376016714' }])).words).not.toContain('version');
  });

  it('folds what is long and cuts what is endless', async () => {
    const changes = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`field ${at}`, { from: null, to: 'x'.repeat(500) }]));
    const list = await build('trail', 'changeList', [{ ...change, changes }]);
    expect(list.tags).toContain('details');
    expect(list.words).toContain('and 100 more');
    expect(
      Math.max(
        ...list.nodes
          .filter(({ tag }) => tag === 'li')
          .slice(1)
          .map(({ text }) => text.length),
      ),
    ).toBeLessThan(250);
  });
});

describe('hostile text', () => {
  const limits = { requests_per_minute: 1 };
  const credits = { total_usd: 1, used_usd: 0, remaining_usd: 1 };
  it.each([
    ['team', 'teamRow', [{ ...team, id: EVIL, policy: EVIL, budget: { ...budget, per: EVIL }, limits, credits }, NOW_MS]],
    [
      'team-keys',
      'keyList',
      [[{ ...key, name: EVIL, label: EVIL, headrace: { ...key.headrace, models: [EVIL], policy: EVIL } }], acts, NOW_MS],
    ],
    [
      'trail',
      'changeList',
      [[{ ...change, actor: EVIL, action: EVIL, object: EVIL, to_version: EVIL, changes: { [EVIL]: { from: EVIL, to: [EVIL] } } }]],
    ],
    ['dialog', 'tokenBox', [EVIL]],
  ])('I13: names and values stay text in %s', async (part, name, values) => {
    const node = await build(part, name, ...(values as unknown[]));
    expect(node.tags.filter((tag) => !TAGS.has(tag))).toEqual([]);
    expect(node.text).toContain(EVIL);
  });

  it.each(['onload', 'style'])('the attribute %s is never written to a drawing', async (name) => {
    const { svg } = await loadPart('element');
    expect(() => svg?.('rect' as never, { [name]: 'x' } as never)).toThrow(TypeError);
  });
});
