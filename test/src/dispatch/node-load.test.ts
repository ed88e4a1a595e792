import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { targetOf } from '#src/dispatch/target';
import { createHealth } from '#src/health/health';
import { freezeClock, releaseClock, settleDown } from '#test/support/fake-clock';
import { offerOf } from '#test/support/offers';
import { ANSWER, json, type Script } from '#test/support/scripted-fetch';
import { A, replyOf, start, STREAM } from './dispatched.ts';

beforeEach(freezeClock);
afterEach(releaseClock);

const HEADER = 'JSON {"named_metrics":{"kv_cache_usage_perc":0.4,"num_requests_running":3,"num_requests_waiting":2}}';

/** Gives every answer of a script the header. */
function loaded(script: Script, value = HEADER): Script {
  return (body, call) => {
    const response = script(body, call);
    if (typeof response !== 'string') response.headers.set('endpoint-load-metrics', value);
    return response;
  };
}

function withHealth() {
  const health = createHealth({ now: Date.now, random: () => 0 });
  const read = () => health.view(Date.now(), 'research').read(A.endpointId, A.operatorId, null);
  return { health, read };
}

describe('the load at the head of an answer', () => {
  it.each<[string, Script, boolean]>([
    ['a stream', STREAM, true],
    ['a JSON answer', json(ANSWER), false],
    ['a refusal', json({ error: { message: 'full' } }, 503), false],
  ])('of %s is learned', async (_, script, stream) => {
    const { health, read } = withHealth();
    await start([loaded(script), json(ANSWER)], { health, stream }).result;
    expect(read()?.nodeLoad).toEqual({ running: 3, waiting: 2, kvUsage: 0.4, ageMs: 0 });
  });

  it('of a stream is learned before its first token', async () => {
    const { health, read } = withHealth();
    const silent: Script = (body) => new Response(body([], 'hang'), { headers: { 'content-type': 'text/event-stream' } });
    const run = start([loaded(silent)], { health, stream: true });
    await settleDown();
    expect(read()?.nodeLoad).toMatchObject({ waiting: 2 });
    run.client.abort();
    await run.result;
  });

  it('changes nothing where it makes no sense, and never what the client gets', async () => {
    const { health, read } = withHealth();
    const absurd = loaded(json(ANSWER), 'JSON {"named_metrics":{"kv_cache_usage_perc":-7}}');
    expect(replyOf(await start([absurd], { health }).result).opened.kind).toBe('json');
    expect(read()).not.toHaveProperty('nodeLoad');
  });
});

describe('the wish to hear of it', () => {
  const quirksOf = (over: object) =>
    targetOf(offerOf('a', { providerId: 'selfhosted', ...over }), { secret: () => undefined }, false)?.quirks;

  it('goes to vLLM and to every node behind a link', () => {
    expect(quirksOf({ engine: 'vllm' })).toMatchObject({ reportsLoad: true });
    expect(quirksOf({ engine: 'llama-cpp', url: 'tunnel:rig-4090' })).toMatchObject({ reportsLoad: true });
    expect(quirksOf({ engine: 'llama-cpp' })).not.toHaveProperty('reportsLoad');
    expect(quirksOf({ engine: null })).not.toHaveProperty('reportsLoad');
  });
});
