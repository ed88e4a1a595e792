import { describe, expect, it } from 'vitest';
import { addRealNode, REAL_MODEL } from '#cli/dev/real-node';
import { LOCAL_HOSTS } from '#cli/local-hosts';
import { checkManifest } from '#cli/manifest/read-manifest';
import { surroundings } from '#src/house-facts';

const check = (text: string) => checkManifest(text, 'test', surroundings(true, LOCAL_HOSTS));
const EMPTY = 'version: 1\npolicies: { balanced: {} }\nteams: [{ id: local }]\n';

describe('addRealNode', () => {
  it('adds one endpoint to a manifest that has none, and one to a manifest that has others', () => {
    const alone = addRealNode(EMPTY, 'http://127.0.0.1:9');
    expect(check(alone).endpoints).toMatchObject([
      { id: 'real-tiny-llama', model: REAL_MODEL, url: 'http://127.0.0.1:9/v1', kv_cache: 'q8_0' },
    ]);
    const other = `${EMPTY}endpoints: [{ id: mine, model: a/b, context: 100, url: 'http://127.0.0.1:8/v1' }] # kept\n`;
    expect(check(addRealNode(other, 'http://127.0.0.1:9')).endpoints.map(({ id }) => id)).toEqual(['mine', 'real-tiny-llama']);
  });

  it('moves the endpoint to where the engine runs now instead of adding it twice', () => {
    const before = addRealNode(EMPTY, 'http://127.0.0.1:9');
    const now = check(addRealNode(before, 'http://127.0.0.1:10')).endpoints;
    expect(now.map(({ url }) => url)).toEqual(['http://127.0.0.1:10/v1']);
  });

  it('leaves a text alone that is no manifest', () => {
    for (const text of ['', '- a\n', 'endpoints: 3\n', 'a: [']) expect(addRealNode(text, 'http://127.0.0.1:9')).toBe(text);
  });
});
