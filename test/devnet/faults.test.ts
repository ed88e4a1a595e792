import { describe, expect, test } from 'vitest';
import { FAULT_NAMES } from '#devnet/faults';
import { chat, control, eventsOf, message, send, startFleet, stateOf, until, type WireAnswer } from './support.ts';

const STREAM = { stream: true, stream_options: { include_usage: true } };

async function withFault(fault: string, fields: Record<string, unknown> = {}): Promise<WireAnswer> {
  const devnet = await startFleet();
  await control(devnet, 'miner-swift', { faults: [fault] });
  return chat(devnet, 'miner-swift', fields);
}

/** Lets a fault hang until a sound endpoint has served a whole answer, then stops the devnet. */
async function hangUntilStop(fault: string, fields: Record<string, unknown> = {}): Promise<WireAnswer> {
  const devnet = await startFleet();
  await control(devnet, 'miner-swift', { faults: [fault] });
  const hanging = chat(devnet, 'miner-swift', fields);
  await until(devnet, 'miner-swift', (state) => state.counters['requests'] === 1);
  await chat(devnet, 'rig-4090-a', STREAM);
  await chat(devnet, 'rig-4090-a', STREAM);
  await devnet.stop();
  return hanging;
}

describe.each([{ stream: false }, { stream: true }])('with stream: $stream', ({ stream }) => {
  const fields = stream ? STREAM : {};

  test('down destroys the connection without an answer', async () => {
    expect(await withFault('down', fields)).toMatchObject({ status: null, text: '' });
  });

  test('hang never sends headers', async () => {
    expect(await hangUntilStop('hang', fields)).toMatchObject({ status: null, text: '' });
  });

  test('hang-after-headers sends headers and nothing else', async () => {
    expect(await hangUntilStop('hang-after-headers', fields)).toMatchObject({ status: 200, text: '', whole: false });
  });

  test('hang-mid-stream sends a part and falls silent', async () => {
    const answer = await hangUntilStop('hang-mid-stream', fields);
    expect(answer).toMatchObject({ status: 200, whole: false });
    expect(answer.text).toContain('[simulated');
    expect(answer.text).not.toMatch(/"finish_reason":"/);
  });

  test('die-mid-stream sends a part and destroys the socket', async () => {
    const answer = await withFault('die-mid-stream', fields);
    expect(answer).toMatchObject({ status: 200, whole: false });
    expect(answer.text).toContain('[simulated');
    expect(answer.text).not.toMatch(/"finish_reason":"/);
  });

  test.each([
    { fault: 'error-500', status: 500, type: 'server_error' },
    { fault: 'error-503', status: 503, type: 'server_error' },
    { fault: 'rate-limit', status: 429, type: 'rate_limit_error' },
  ])('$fault answers $status in the shape of the endpoint', async ({ fault, status, type }) => {
    const answer = await withFault(fault, fields);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error.type).toBe(type);
    expect(answer.headers['retry-after']).toBe(fault === 'rate-limit' ? '2' : undefined);
  });

  test('empty-200 has a status and no body', async () => {
    expect(await withFault('empty-200', fields)).toMatchObject({ status: 200, text: '', whole: true });
  });

  test('html-200 is a web page', async () => {
    const answer = await withFault('html-200', fields);
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer.headers['content-type']).toContain('text/html');
    expect(answer.text).toMatch(/^<!doctype html>/);
  });

  test('truncated-json ends properly in the middle of a JSON body', async () => {
    const answer = await withFault('truncated-json', fields);
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer.text).toMatch(/^\{"id":"chatcmpl/);
    expect(() => JSON.parse(answer.text)).toThrow(SyntaxError);
  });

  test('no-usage leaves usage out', async () => {
    const answer = await withFault('no-usage', fields);
    expect(answer.text).toMatch(/"finish_reason":"stop"/);
    expect(answer.text).not.toContain('"usage"');
  });

  test('over-report-usage reports ten times the output tokens', async () => {
    const devnet = await startFleet();
    const completionTokens = async (): Promise<number> => {
      const { text } = await chat(devnet, 'miner-swift', fields);
      return stream ? (eventsOf(text).at(-1)?.usage.completion_tokens ?? 0) : JSON.parse(text).usage.completion_tokens;
    };
    const honest = await completionTokens();
    await control(devnet, 'miner-swift', { faults: ['over-report-usage'] });
    expect(await completionTokens()).toBe(honest * 10);
  });

  test('redirect points to another path, where a follower is counted', async () => {
    const devnet = await startFleet();
    await control(devnet, 'miner-swift', { faults: ['redirect'] });
    const answer = await chat(devnet, 'miner-swift', fields);
    expect(answer.status).toBe(307);
    expect((await stateOf(devnet, 'miner-swift')).counters['redirectsFollowed']).toBe(0);
    await send(String(answer.headers.location), { body: {} });
    expect((await stateOf(devnet, 'miner-swift')).counters['redirectsFollowed']).toBe(1);
  });
});

test('die-mid-event breaks inside a character of several bytes, after whole events', async () => {
  const devnet = await startFleet();
  const fields = { ...STREAM, messages: [{ role: 'user', content: 'Überläufe' }] };
  const events = (await chat(devnet, 'miner-swift', fields)).text.split('\n\n');
  const wideAt = events.findIndex((event) => event.includes('Überläufe'));
  await control(devnet, 'miner-swift', { faults: ['die-mid-event'], cut: (wideAt + 0.5) / (events.length - 1) });
  const { text, whole } = await chat(devnet, 'miner-swift', fields);
  expect(whole).toBe(false);
  expect(text.split('\n\n')).toHaveLength(wideAt + 1);
  expect(text).toMatch(/"content":" \uFFFD?$/);
});

test('a cut says where faults in the middle strike', async () => {
  const lengthAt = async (cut: number): Promise<number> => {
    const devnet = await startFleet();
    await control(devnet, 'miner-swift', { faults: ['die-mid-stream'], cut });
    return (await chat(devnet, 'miner-swift', STREAM)).text.length;
  };
  const [early, late] = [await lengthAt(0.1), await lengthAt(0.9)];
  expect(late).toBeGreaterThan(early * 5);
});

test('stall-mid-stream is a whole answer with a pause inside', async () => {
  const devnet = await startFleet(200);
  await control(devnet, 'miner-swift', { faults: ['stall-mid-stream'] });
  const startedAtMs = performance.now();
  const answer = await chat(devnet, 'miner-swift', STREAM);
  // 8 s at this speed are 40 ms; only a lower bound, so a busy machine cannot fail it.
  expect(performance.now() - startedAtMs).toBeGreaterThan(35);
  expect(answer.whole).toBe(true);
  expect(answer.text).toContain('[DONE]');
});

test('empty-first-event says nothing at once and the rest much later', async () => {
  const devnet = await startFleet(0.001);
  await control(devnet, 'miner-swift', { faults: ['empty-first-event'] });
  const left = new AbortController();
  const firstText = Promise.withResolvers<string>();
  const answer = chat(devnet, 'miner-swift', STREAM, { signal: left.signal, onText: firstText.resolve });
  expect(eventsOf(await firstText.promise)[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' });
  left.abort();
  await answer;
});

test('R8: probe-cheat serves a short probe as usual and keeps a real request waiting', async () => {
  const devnet = await startFleet(20);
  await control(devnet, 'miner-swift', { faults: ['probe-cheat'] });
  const timed = async (maxTokens: number): Promise<number> => {
    const startedAtMs = performance.now();
    await chat(devnet, 'miner-swift', { max_tokens: maxTokens });
    return performance.now() - startedAtMs;
  };
  await timed(1);
  // 140 ms to the first token and more for the rest at this speed; a probe needs about 15.
  expect(await timed(17)).toBeGreaterThan(60);
});

test('long-prompt-500 fails long prompts and no others', async () => {
  const devnet = await startFleet();
  await control(devnet, 'miner-swift', { faults: ['long-prompt-500'] });
  const statusOf = async (words: number): Promise<number | null> =>
    (await chat(devnet, 'miner-swift', { messages: [{ role: 'user', content: 'rivers '.repeat(words) }] })).status;
  expect(await statusOf(10)).toBe(200);
  expect(await statusOf(2000)).toBe(500);
});

test('retry-after-abuse asks for what no client should grant', async () => {
  const devnet = await startFleet();
  await control(devnet, 'miner-swift', { faults: ['retry-after-abuse'] });
  const asked = [await chat(devnet, 'miner-swift'), await chat(devnet, 'miner-swift')].map(({ headers }) => Number(headers['retry-after']));
  expect(asked.toSorted((left, right) => left - right)).toEqual([-1, 946_080_000]);
});

test('error-in-200 is a stream whose first event is an error, and an error object as JSON', async () => {
  const stream = await withFault('error-in-200', STREAM);
  expect(stream).toMatchObject({ status: 200, whole: true });
  expect(stream.headers['content-type']).toContain('text/event-stream');
  expect(eventsOf(stream.text)).toMatchObject([{ error: { type: 'server_error' } }]);
  const json = await withFault('error-in-200');
  expect(json.status).toBe(200);
  expect(JSON.parse(json.text).error.type).toBe('server_error');
});

test('error-in-200 speaks the dialect of the endpoint', async () => {
  const devnet = await startFleet();
  await control(devnet, 'api-beacon', { faults: ['error-in-200'] });
  expect((await message(devnet, { stream: true })).text).toMatch(/^event: error\ndata: \{"type":"error","error":\{"type":"api_error"/);
});

test('malformed-sse breaks the second event and goes on to a sound end', async () => {
  const { text } = await withFault('malformed-sse', STREAM);
  const data = text.split('\n\n').filter(Boolean);
  expect(() => JSON.parse(String(data[0]).slice(6))).not.toThrow();
  expect(() => JSON.parse(String(data[1]).slice(6))).toThrow(SyntaxError);
  expect(data.at(-1)).toBe('data: [DONE]');
});

test('slow makes an answer take ten times the simulated 440 ms', async () => {
  const devnet = await startFleet(100);
  await control(devnet, 'miner-swift', { faults: ['slow'] });
  const startedAtMs = performance.now();
  await chat(devnet, 'miner-swift', { max_tokens: 20 });
  // 44 ms at this speed, and 4 ms without the fault; only a lower bound, so a busy machine cannot fail it.
  expect(performance.now() - startedAtMs).toBeGreaterThan(15);
});

test('down and hang strike health and model lists too', async () => {
  const devnet = await startFleet();
  await control(devnet, 'rig-4090-a', { faults: ['down'] });
  expect((await send(`${devnet.url}/rig-4090-a/health`)).status).toBeNull();
  await control(devnet, 'rig-4090-a', { faults: ['error-500'] });
  expect((await send(`${devnet.url}/rig-4090-a/health`)).status).toBe(200);
});

test('the mortal miner breaks off and the liar errs, until their habits are switched off', async () => {
  const devnet = await startFleet();
  expect(await chat(devnet, 'miner-mortal', STREAM)).toMatchObject({ status: 200, whole: false });
  expect(eventsOf((await chat(devnet, 'miner-liar', STREAM)).text)[0]).toHaveProperty('error');
  await control(devnet, 'miner-mortal', { habits: false });
  await control(devnet, 'miner-liar', { habits: false });
  expect((await chat(devnet, 'miner-mortal', STREAM)).text).toContain('[DONE]');
  expect((await chat(devnet, 'miner-liar', STREAM)).text).toContain('[DONE]');
});

test('the flaky miner fails some requests and serves the others', async () => {
  const devnet = await startFleet();
  const answers = await Promise.all(Array.from({ length: 20 }, () => chat(devnet, 'miner-flaky', { max_tokens: 5 })));
  const served = answers.filter((answer) => answer.status === 200).length;
  expect(served).toBeGreaterThan(5);
  expect(served).toBeLessThan(20);
});

test('every fault that can be switched on has a line of its own in the list', async () => {
  const devnet = await startFleet();
  const { faults } = JSON.parse((await send(`${devnet.url}/control`)).text);
  expect(Object.keys(faults)).toEqual(FAULT_NAMES);
});
