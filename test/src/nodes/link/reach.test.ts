import { beforeEach, expect, it } from 'vitest';
import { createReach } from '#src/nodes/link/reach';

const calls: string[] = [];
const reach = createReach({
  fetch: async (input) => {
    calls.push(`network ${input instanceof Request ? input.url : String(input)}`);
    return new Response('');
  },
  node: (nodeId) => ({
    fetch: async (url) => {
      calls.push(`${nodeId} ${url}`);
      return new Response('');
    },
  }),
});

beforeEach(() => void (calls.length = 0));

it('nodes are reached through their links, everything else over the network', async () => {
  await reach('tunnel:rig-4090/chat/completions', { method: 'POST' });
  await reach('https://api.example/v1/chat/completions');
  await reach(new URL('https://api.example/tunnel:rig/x'));
  await reach(new Request('https://api.example/a'));
  expect(calls).toEqual([
    'rig-4090 http://node/v1/chat/completions',
    'network https://api.example/v1/chat/completions',
    'network https://api.example/tunnel:rig/x',
    'network https://api.example/a',
  ]);
});

it('S10: a node’s name leads nowhere else than to its own link', async () => {
  await reach('tunnel:rig//evil.example/v1');
  await reach('tunnel:rig/../../other');
  expect(calls).toEqual(['rig http://node/v1//evil.example/v1', 'rig http://node/v1/../../other']);
});
