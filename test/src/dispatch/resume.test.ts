import { describe, expect, it } from 'vitest';
import { seededRandom } from '#test/support/random-chunks';
import { endsInHalf, tokensOf } from './random-tokens.ts';
import { ENDPOINTS, resume, type EngineOptions, type Trouble } from './resumed.ts';

describe('a stream that breaks', () => {
  it('reads as if it had not, wherever and however often it breaks', async () => {
    let seams = 0;
    for (let seed = 1; seed <= 1200; seed++) {
      const random = seededRandom(seed * 7919);
      const tokens = tokensOf(seed);
      const troubles: Trouble[] = Array.from({ length: 1 + (seed % 3) }, () => ({
        kind: (['reset', 'end', 'error'] as const)[Math.floor(random() * 3)] ?? 'end',
        at: random(),
      }));
      const { heard, calls } = await resume({ tokens, troubles, seed, running: seed % 2 === 0 });
      expect({ seed, text: heard.text, finish: heard.finish }).toEqual({ seed, text: tokens.join(''), finish: 'stop' });
      expect(calls.every(({ prefix }) => prefix === prefix.trimEnd() && !endsInHalf(prefix))).toBe(true);
      expect(heard.chunks.some(({ choices }) => endsInHalf(choices[0]?.delta?.content))).toBe(false);
      seams += heard.seams;
    }
    // The test would prove nothing if nothing broke.
    expect(seams).toBeGreaterThan(1200);
  });

  it('goes on from a prefix that ends neither in white space nor in half a character', async () => {
    const tokens = ['Wet', ' \n', '🌊'.slice(0, 1), '🌊'.slice(1), '!'];
    const { calls, heard } = await resume({ tokens, troubles: [{ kind: 'error', at: 4 / 9 }] });
    expect(calls[1]?.prefix).toBe('Wet');
    expect(heard.text).toBe('Wet \n🌊!');
  });
});

describe('the seam', () => {
  const TOKENS = ['One', ' two', ' three'];
  const BREAK: Trouble = { kind: 'error', at: 3 / 7 };

  it('asks another endpoint to go on with the last message, and for no more than is missing', async () => {
    const { calls } = await resume({ tokens: TOKENS, troubles: [BREAK] }, { request: { max_tokens: 40, min_tokens: 10 } });
    expect(calls.map(({ endpoint }) => endpoint)).toEqual(['a', 'b']);
    expect(calls[1]?.body).toMatchObject({
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'One two' },
      ],
      continue_final_message: true,
      add_generation_prompt: false,
      max_tokens: 38,
      min_tokens: 8,
    });
    expect(calls[0]?.body).not.toHaveProperty('continue_final_message');
  });

  it('joins what the client had begun itself', async () => {
    const messages = [
      { role: 'user' as const, content: 'hi' },
      { role: 'assistant' as const, content: 'Zero. ' },
    ];
    const tokens = ['Zero. One', ' two'];
    const { calls } = await resume({ tokens, troubles: [{ kind: 'error', at: 2 / 6 }] }, { request: { messages } });
    expect(calls[1]?.body['messages']).toMatchObject([messages[0], { role: 'assistant', content: 'Zero. Zero. One' }]);
  });

  it('T8: opens the message once and leaves the second upstream unnamed', async () => {
    const rewrite: EngineOptions['rewrite'] = (chunks) => chunks.map((chunk) => ({ ...chunk, system_fingerprint: 'fp' }));
    const { heard } = await resume({ tokens: TOKENS, troubles: [BREAK], rewrite });
    const roles = heard.chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta?.role)).filter(Boolean);
    expect(roles).toEqual(['assistant']);
    const seam = heard.chunks.findIndex(({ upstreamId }) => upstreamId === 'up-b');
    expect(heard.chunks.slice(seam).every(({ extra }) => extra === null)).toBe(true);
    expect(heard.chunks.slice(0, seam).every(({ extra }) => extra !== null)).toBe(true);
  });

  it('passes a continuation that repeats none of the white space as it is', async () => {
    const rewrite: EngineOptions['rewrite'] = (chunks, { prefix }) =>
      prefix === '' ? chunks : [{ choices: [{ index: 0, delta: { content: '\nB' }, finish_reason: 'stop' }] }];
    const { heard } = await resume({ tokens: ['A', '\n\n', 'B'], troubles: [{ kind: 'error', at: 3 / 7 }], rewrite });
    expect(heard.text).toBe('A\n\n\nB');
  });

  it('makes an answer anew of which nothing but white space was delivered', async () => {
    const { calls, heard } = await resume({ tokens: ['\n', 'One', ' two'], troubles: [{ kind: 'error', at: 2 / 7 }] });
    expect(heard).toMatchObject({ text: '\nOne two', seams: 1, finish: 'stop' });
    expect(calls[1]?.body['messages']).toEqual(calls[0]?.body['messages']);
  });

  it('goes on with a raw prompt by lengthening it', async () => {
    const offers = ENDPOINTS.map((offer) => ({ ...offer, operations: new Set(['chat', 'completion'] as const) }));
    const native = { prompt: 'Prompt:', max_tokens: 20, stream: true };
    const { calls, heard } = await resume(
      { tokens: TOKENS, troubles: [{ kind: 'error', at: 2 / 6 }] },
      { native, offers, request: { max_tokens: 20 } },
    );
    expect(heard).toMatchObject({ text: 'One two three', seams: 1 });
    expect(calls.map(({ path, body }) => [path, body['prompt'], body['max_tokens']])).toEqual([
      ['/v1/completions', 'Prompt:', 20],
      ['/v1/completions', 'Prompt:One two', 18],
    ]);
  });

  it('a continuation that thinks anew is left for another one', async () => {
    const rewrite: EngineOptions['rewrite'] = (chunks, { endpoint }) =>
      endpoint === 'b' ? [{ choices: [{ index: 0, delta: { reasoning_content: ' two three' }, finish_reason: null }] }, ...chunks] : chunks;
    const { heard, trail, calls, reply } = await resume({ tokens: TOKENS, troubles: [BREAK], rewrite });
    expect(calls.map(({ endpoint }) => endpoint)).toEqual(['a', 'b', 'c']);
    expect(heard).toMatchObject({ text: 'One two three', reasoning: '', seams: 2 });
    expect(reply.broken.map(({ offer, failure }) => [offer.endpointId, failure.kind])).toEqual([
      ['a', 'upstream_error'],
      ['b', 'protocol'],
    ]);
    expect(trail).toEqual([]);
  });

  it('thinking is over: it is switched off where it was on', async () => {
    const rewrite: EngineOptions['rewrite'] = (chunks, { prefix }) =>
      prefix === '' ? [{ choices: [{ index: 0, delta: { reasoning: 'Hm.' }, finish_reason: null }] }, ...chunks] : chunks;
    const offers = ENDPOINTS.map((offer) => ({ ...offer, engine: 'vllm' }));
    const { calls, heard } = await resume({ tokens: TOKENS, troubles: [{ kind: 'error', at: 4 / 8 }], rewrite }, { offers });
    expect(heard).toMatchObject({ text: 'One two three', reasoning: 'Hm.', seams: 1 });
    expect(calls[0]?.body).not.toHaveProperty('chat_template_kwargs');
    expect(calls[1]?.body).toMatchObject({ chat_template_kwargs: { enable_thinking: false } });
  });
});

describe('stop sequences', () => {
  const cases = ['END', '\n\nQ:', ' . ', '🌊🌊'];

  it.each(cases)('end the answer at %j, wherever the seam falls', async (stop) => {
    const text = `Some words ${stop}never said`;
    const tokens = text.split('');
    const stopAt = text.indexOf(stop);
    // The engine that breaks does not look for stop sequences itself, so that the seam can fall into one.
    const rewrite: EngineOptions['rewrite'] = (chunks, call) =>
      call.prefix === '' ? tokens.map((content) => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })) : chunks;
    for (let cut = 1; cut < stopAt + stop.length; cut++) {
      const run = { request: { stop: cut % 2 === 0 ? stop : ['never', stop] } };
      const { heard } = await resume({ tokens, troubles: [{ kind: 'error', at: cut / (tokens.length + 1) }], rewrite }, run);
      // Half a character was never delivered.
      const delivered = text.slice(0, cut).replace(/[\uD800-\uDBFF]$/, '');
      const expected = cut <= stopAt ? text.slice(0, stopAt) : delivered;
      expect({ cut, text: heard.text, finish: heard.finish }).toEqual({ cut, text: expected, finish: 'stop' });
    }
  });

  it('a piece that only looked like the rest of one is not lost', async () => {
    const tokens = ['abE', 'N', 'x', 'y'];
    const { heard } = await resume({ tokens, troubles: [{ kind: 'error', at: 2 / 8 }] }, { request: { stop: 'END' } });
    expect(heard).toMatchObject({ text: 'abENxy', finish: 'stop', seams: 1 });
  });

  it('one that straddles the seam is named, and its upstream is left', async () => {
    const rewrite: EngineOptions['rewrite'] = (chunks, { prefix }) =>
      prefix === '' ? [{ choices: [{ index: 0, delta: { content: 'abE' }, finish_reason: null }] }] : chunks;
    const tokens = ['abE', 'N', 'D', 'y'];
    const { heard } = await resume({ tokens, troubles: [{ kind: 'end', at: 0.9 }], rewrite }, { request: { stop: 'END' } });
    expect(heard).toMatchObject({ text: 'abE', finish: 'stop', failure: null });
    expect(heard.chunks.at(-1)?.choices[0]).toMatchObject({ finish_reason: 'stop', stop_reason: 'END' });
  });
});

describe('JSON', () => {
  const request = { response_format: { type: 'json_object' as const } };
  const TOKENS = ['{"a"', ':', '[1', ',2]', '}'];

  it('goes on without the grammar, whose text would begin anew', async () => {
    const { calls, heard } = await resume({ tokens: TOKENS, troubles: [{ kind: 'error', at: 4 / 9 }] }, { request });
    expect(heard).toMatchObject({ text: '{"a":[1,2]}', finish: 'stop', seams: 1 });
    expect(calls[0]?.body).toHaveProperty('response_format');
    expect(calls[1]?.body).not.toHaveProperty('response_format');
    expect(calls[1]?.body['messages']).toMatchObject([
      { role: 'system', content: 'Answer with one JSON object and nothing else.' },
      {},
      {},
    ]);
  });

  it('that two upstreams made and that does not parse is an error, not an answer', async () => {
    const rewrite: EngineOptions['rewrite'] = (chunks, { prefix }) =>
      prefix === '' ? chunks : chunks.slice(0, -3).concat(chunks.slice(-2));
    const { heard } = await resume({ tokens: TOKENS, troubles: [{ kind: 'error', at: 4 / 9 }], rewrite }, { request });
    expect(heard).toMatchObject({ finish: null, failure: { kind: 'protocol' }, seams: 1 });
  });

  it('that the caller allowed no more room for is cut, as it would have been', async () => {
    const { heard } = await resume(
      { tokens: TOKENS, troubles: [{ kind: 'error', at: 3 / 9 }], running: true },
      { request: { ...request, max_tokens: 3 } },
    );
    expect(heard).toMatchObject({ text: '{"a":[1', finish: 'length', failure: null });
  });
});
