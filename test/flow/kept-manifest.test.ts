import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startRouter, type Router, type RouterOptions } from '#cli/dev/start-router';
import { createManager } from '#test/support/manage';
import { answer } from '#test/support/openai-scripts';
import { startScriptedUpstream, type ScriptedUpstream } from '#test/support/scripted-upstream';

const GIVEN = 'version: 1\nteams: [{ id: demo }]\n';
const ADMIN = 'sk-hr-mgmt-admin-00000000000';
const state = mkdtempSync(path.join(tmpdir(), 'headrace-kept-'));

let upstream: ScriptedUpstream;
let router: Router;

const start = async (over: Partial<RouterOptions> = {}): Promise<Router> =>
  (router = await startRouter({ manifestText: GIVEN, stateDir: state, environment: { RIG_KEY: 'upstream-secret' }, ...over }));

/** A manifest whose endpoint has a key of its own name: the Worker has to be given it. */
const applied = (): string => `version: 1
management_keys: [{ name: admin, secret: NOT_KNOWN_AT_START }]
teams: [{ id: research, keys: [{ name: ci, secret: NOT_KNOWN_EITHER }] }]
endpoints: [{ id: rig, model: my/own, url: "${upstream.url('rig')}", context: 4096, price: { prompt: 1, completion: 1 }, key: { secret: RIG_KEY } }]
`;

async function teams(): Promise<string[]> {
  const { results } = await (await router.db()).prepare('SELECT id FROM teams ORDER BY id').all<{ id: string }>();
  return results.map(({ id }) => id);
}

beforeAll(async () => {
  upstream = await startScriptedUpstream();
  upstream.script('rig', answer());
});
afterEach(() => router.stop());
afterAll(async () => {
  await upstream.stop();
  rmSync(state, { recursive: true, force: true });
});

describe('a manifest that was applied through the API', () => {
  it('R12: stays in force when the router starts again without a file, and its keys and secrets work', async () => {
    await start();
    const manage = createManager(router.url, router.managementKey);
    const { keyLabel } = await import('#schema/key');
    const { sha256Hex } = await import('#src/manifest/secrets');
    const response = await manage('PUT', '/manifest', {
      manifest: applied(),
      client_keys: [{ team: null, name: 'admin', hash: sha256Hex(ADMIN), label: keyLabel(ADMIN) }],
    });
    expect(response.status, await response.clone().text()).toBe(200);
    expect(((await response.json()) as { data: object }).data).toMatchObject({
      version: 2,
      missing_keys: ['key ci of team research (NOT_KNOWN_EITHER)'],
    });
    await router.stop();

    await start({ keepApplied: true });
    expect(router.kept).toMatchObject({ version: 2, by: 'local' });
    expect(router.manifest.teams.map(({ id }) => id)).toEqual(['research']);
    const stored = await createManager(router.url, ADMIN)('GET', '/manifest');
    expect(((await stored.json()) as { data: object }).data).toMatchObject({ version: 2, text: applied() });
    const chat = await fetch(`${router.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${router.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'my/own', messages: [{ role: 'user', content: 'hi' }] }),
    });
    await chat.body?.cancel();
    expect(chat.status).toBe(200);
  });

  it('gives way to a file that is named, which stays until the next', async () => {
    await start();
    expect(router.kept).toBeNull();
    expect(await teams()).toContain('demo');
    const { results } = await (await router.db()).prepare('SELECT actor FROM manifests ORDER BY version').all();
    expect(results.map((row) => row.actor)).toEqual(['npm start', 'key-local-management', 'npm start']);
    await router.stop();
    await start({ keepApplied: true });
    expect(router.kept).toBeNull();
    expect(router.applied).toEqual([]);
  });
});
