import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditTrail, currentManifest, policyData, policyList } from '#schema/answers/manifest';
import { MODEL } from '#test/support/house';
import type { Manage } from '#test/support/manage';
import { CI, LEAD, openManagedHouse, sha256, type ManagedHouse } from '#test/support/managed-house';

let house: ManagedHouse;
let manage: Manage;
let manifest: ManagedHouse['manifest'];
let apply: ManagedHouse['apply'];

beforeAll(async () => {
  house = await openManagedHouse();
  ({ manage, manifest, apply } = house);
});
afterAll(() => house.stop());

describe('what was applied', () => {
  it('is shown as text, with its version and who applied it', async () => {
    const text = manifest({ aliases: { shown: MODEL } });
    const { version } = await apply(text);
    const stored = currentManifest.parse(await (await manage('GET', '/manifest')).json()).data;
    expect(stored).toMatchObject({ version, text, digest: sha256(text) });
    expect(stored?.actor).toMatch(/^key-/);
  });

  it('keeps every version of a policy, which receipts name', async () => {
    await apply(manifest({ policies: { quick: { optimize: 'price' }, fast: { extends: 'quick', hedge: true } } }));
    const list = policyList.parse(await (await manage('GET', '/policies')).json());
    expect(list.default).toBeNull();
    expect(list.data.map(({ name }) => name)).toEqual(['fast', 'quick']);
    expect(list.data[0]?.document).toEqual({ extends: 'quick', hedge: true, inherited: [{ optimize: 'price' }] });
    const version = list.data[1]?.version ?? 0;
    expect(version).toBeGreaterThan(1);
    const old = policyData.parse(await (await manage('GET', '/policies/quick?version=1')).json()).data;
    expect(old).toMatchObject({ name: 'quick', version: 1, document: { optimize: 'latency' } });
    for (const path of ['/policies/none', '/policies/quick?version=99']) {
      const response = await manage('GET', path);
      await response.body?.cancel();
      expect(response.status).toBe(404);
    }
  });
});

describe('GET /audit', () => {
  const trail = async (query: string, key?: string) =>
    auditTrail.parse(await (await manage('GET', `/audit${query}`, undefined, key)).json());

  it('lists who changed what, newest first, page by page, without any key', async () => {
    await apply(manifest({ aliases: { first: MODEL } }));
    await apply(manifest({ aliases: { second: MODEL } }));
    const page = await trail('?limit=1');
    expect(page.data[0]).toMatchObject({
      action: 'manifest.apply',
      object: 'manifest',
      changes: { 'aliases second add': { from: null, to: 'add' }, 'aliases first remove': { from: null, to: 'remove' } },
    });
    expect(Number(page.data[0]?.to_version)).toBe(Number(page.data[0]?.from_version) + 1);
    const next = await trail(`?limit=1&cursor=${page.next_cursor}`);
    expect(next.data[0]?.changes).toHaveProperty('aliases first add');
    expect((await trail(`?since=${Date.now() + 60_000}`)).data).toEqual([]);
    expect(JSON.stringify(await trail(''))).not.toMatch(/sk-hr-(?!mgmt-\.\.\.)|[0-9a-f]{64}/);
  });

  it('K9: shows the manager of one team nothing of the deployment', async () => {
    expect((await trail('', LEAD)).data).toEqual([]);
    const response = await manage('GET', '/audit', undefined, CI);
    await response.body?.cancel();
    expect(response.status).toBe(403);
  });

  it.each(['?limit=0', '?limit=1001', '?cursor=x', '?since=yesterday'])('refuses %s', async (query) => {
    const response = await manage('GET', `/audit${query}`);
    await response.body?.cancel();
    expect(response.status).toBe(400);
  });
});
