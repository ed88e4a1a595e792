import { describe, expect, it } from 'vitest';
import { isPassed } from '#schema/probe';
import { findingsOf, probeEngine } from './fake-engine.ts';

const ALL = ['tools', 'json_object', 'json_schema', 'seed', 'logprobs', 'continuation'] as const;

describe('a probe of what is no model', () => {
  const page = () => new Response('<html>hello</html>', { headers: { 'content-type': 'text/html' } });
  const redirect = () => new Response(null, { status: 302, headers: { location: 'http://169.254.169.254/' } });
  const empty = () => Response.json({ choices: [{ message: { content: '' }, finish_reason: 'stop' }] });
  const fault = () => Response.json({ error: { message: 'out of memory' } });

  it.each([
    ['a web page', page, 'a web page'],
    ['a redirect', redirect, 'a redirect, which is not followed'],
    ['an empty answer', empty, 'an empty answer'],
    ['an error inside a 200', fault, 'an error inside a 200'],
    ['other JSON', () => Response.json({ hello: 'world' }), 'no answer of a model'],
    ['no JSON', () => new Response('hello'), 'an answer that is no JSON'],
    ['a server error', () => new Response('oops', { status: 500 }), 'HTTP 500'],
    ['silence', () => 'silent' as const, 'no answer in time'],
  ])('fails on %s', async (_, chat, seen) => {
    const { report, tookMs } = await probeEngine({ chat });
    expect(report.findings).toEqual([{ what: 'completion', declared: null, seen, severity: 'fatal' }]);
    expect(isPassed(report)).toBe(false);
    expect(tookMs).toBeLessThanOrEqual(8_000);
  });

  it('I7: fails on an answer without an end', async () => {
    const endless = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(64 * 1024)) }), {
        headers: { 'content-type': 'application/json' },
      });
    const { report } = await probeEngine({ chat: endless });
    expect(report.findings[0]?.seen).toBe('an answer that is too large');
  });

  it.each([
    ['a whole answer in place of a stream', () => Response.json({ choices: [] }), 'no event stream of a model'],
    [
      'an error event',
      () => new Response('data: {"error":{"message":"no"}}\n\n', { headers: { 'content-type': 'text/event-stream' } }),
      'no event stream of a model',
    ],
    [
      'a stream without text',
      () => new Response('data: [DONE]\n\n', { headers: { 'content-type': 'text/event-stream' } }),
      'an empty stream',
    ],
  ])('fails on %s', async (_, stream, seen) => {
    const { report } = await probeEngine({ stream });
    expect(report.findings).toEqual([{ what: 'streaming', declared: null, seen, severity: 'fatal' }]);
  });

  it('notes a stream that comes in one lump', async () => {
    const lump = `data: ${JSON.stringify({ choices: [{ delta: { content: 'word '.repeat(20) } }], usage: { prompt_tokens: 9, completion_tokens: 20 } })}\n\n`;
    const { report } = await probeEngine({ stream: () => new Response(lump, { headers: { 'content-type': 'text/event-stream' } }) });
    expect(findingsOf(report)).toContain('streaming:mismatch');
    expect(report.seen.streams).toBe(false);
    expect(report.speed.tpot_ms).toBeNull();
  });
});

describe('a probe of a slow or busy endpoint', () => {
  it('takes eight seconds at most, and judges by what has come', async () => {
    const { report, tookMs } = await probeEngine({ prefillMs: 900, tokenMs: 150 }, { declared: { capabilities: [...ALL] } });
    expect(tookMs).toBeLessThanOrEqual(8_000);
    expect(isPassed(report)).toBe(true);
    expect(report.speed.tpot_ms).toBeGreaterThan(140);
    expect(Object.values(report.seen.capabilities)).not.toContain(false);
  });

  it('ends in time where every page is silent', async () => {
    const { report, tookMs } = await probeEngine({ chat: () => 'silent', models: () => 'silent', health: () => 'silent' });
    expect(tookMs).toBeLessThanOrEqual(8_000);
    expect(findingsOf(report)).toEqual(['completion:fatal']);
  });

  it('takes an engine at its word that says inside a stream that it is full, as vLLM 0.32 does', async () => {
    const error = {
      message: 'The engine is currently busy and cannot accept new requests.',
      type: 'Service Unavailable',
      param: null,
      code: 503,
    };
    const full = () =>
      new Response(`data: ${JSON.stringify({ error })}\n\ndata: [DONE]\n\n`, { headers: { 'content-type': 'text/event-stream' } });
    const { report } = await probeEngine({ stream: full });
    expect(findingsOf(report)).toEqual(['streaming:note', 'concurrency:mismatch']);
    expect(report.findings[1]?.seen).toBe('8 of 8 turned away');
    expect(isPassed(report)).toBe(true);
  });

  it('knows its own impatience behind a link too, which then answers in the place of its node', async () => {
    const late = await probeEngine({ isLinked: true, chat: () => 'silent' });
    expect(late.report.findings[0]).toMatchObject({ what: 'completion', seen: 'no answer in time' });
    const slow = await probeEngine({ isLinked: true, stream: () => 'silent' });
    expect(findingsOf(slow.report)).toContain('streaming:note');
    expect(isPassed(slow.report)).toBe(true);
  });

  it('takes having no room for no fault, and for no proof', async () => {
    const { report } = await probeEngine({ slots: 0 });
    expect(findingsOf(report)).toEqual(['completion:note']);
    expect(isPassed(report)).toBe(false);
  });

  it('takes a link that is gone for a fault, although it answers 503', async () => {
    const gone = () => Response.json({ error: { message: 'the node is not connected', code: 'node_unlinked' } }, { status: 503 });
    const { report } = await probeEngine({ chat: gone });
    expect(report.findings).toEqual([{ what: 'completion', declared: null, seen: 'cannot be reached', severity: 'fatal' }]);
  });

  it('believes no capability that stays silent although there was time', async () => {
    const { report } = await probeEngine(
      { chat: (body) => (body['tools'] === undefined ? undefined : 'silent') },
      { declared: { capabilities: ['tools', 'seed'] } },
    );
    expect(report.seen.capabilities).toEqual({ tools: false, seed: true });
  });
});
