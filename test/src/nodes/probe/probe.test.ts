import { describe, expect, it } from 'vitest';
import { isPassed, probeReport } from '#schema/probe';
import { findingsOf, HONEST, probeEngine } from './fake-engine.ts';

const ALL = ['tools', 'json_object', 'json_schema', 'seed', 'logprobs', 'continuation'] as const;

const VLLM_METRICS = `# HELP vllm:num_requests_running Number of requests
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:cache_config_info{block_size="16",cache_dtype="fp8",num_gpu_blocks="2048",enable_prefix_caching="True"} 1.0
`;

/** What an answer is to go on with. */
const begunIn = (body: Record<string, unknown>): string => (body['messages'] as { content: string }[]).at(-1)?.content ?? '';

describe('a probe of an honest endpoint', () => {
  it('is passed, without findings, and shows all that was declared', async () => {
    const { report } = await probeEngine({ metrics: VLLM_METRICS }, { declared: { capabilities: [...ALL] } });
    expect(findingsOf(report)).toEqual([]);
    expect(isPassed(report)).toBe(true);
    expect(report.models).toEqual([HONEST.model]);
    expect(report.seen).toEqual({
      context: 32_768,
      quantization: null,
      kv_cache: 'fp8',
      pool_tokens: 32_768,
      max_sequences: null,
      capabilities: Object.fromEntries(ALL.map((name) => [name, true])),
      streams: true,
    });
    expect(report.load).toEqual({ running: 3, waiting: 1, kv_usage: 0.25 });
    expect(probeReport.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
  });

  it('measures the first token, normalised to 1,150 prompt tokens, and the pace, alone and together', async () => {
    const { report } = await probeEngine({ prefillMs: 300, tokenMs: 20 }, { declared: { maxConcurrency: 4 } });
    // A short prompt takes two thirds of what a normal one takes.
    expect(report.speed.ttft_ms).toBeGreaterThan(400);
    expect(report.speed.ttft_ms).toBeLessThan(480);
    expect(report.speed.tpot_ms).toBeCloseTo(20, 5);
    expect(report.speed.throughput?.streams).toBe(4);
    expect(report.speed.throughput?.tokens_per_second).toBeGreaterThan(4 * 24);
  });

  it('asks as many at once as are declared, but eight at most', async () => {
    const together = async (maxConcurrency: number | null) =>
      (await probeEngine({}, { declared: { maxConcurrency } })).calls.filter(({ body }) => body['stream'] === true).length - 1;
    expect(await together(3)).toBe(3);
    expect(await together(400)).toBe(8);
    expect(await together(null)).toBe(8);
    expect(await together(1)).toBe(0);
  });

  it('tests nothing that was not declared', async () => {
    const { calls, report } = await probeEngine();
    expect(calls.some(({ body }) => 'tools' in body || 'response_format' in body || 'seed' in body || 'logprobs' in body)).toBe(false);
    expect(report.seen.capabilities).toEqual({});
  });

  it('S7, S11: follows no redirects and sends the key to the endpoint alone', async () => {
    const { calls } = await probeEngine({}, { key: 'sk-theirs' });
    expect(new Set(calls.map(({ redirect }) => redirect))).toEqual(new Set(['manual']));
    expect(new Set(calls.map(({ headers }) => headers.get('authorization')))).toEqual(new Set(['Bearer sk-theirs']));
  });

  it('in a hurry asks for one answer alone', async () => {
    const { calls, report } = await probeEngine({}, { declared: { capabilities: [...ALL] } }, 'quick');
    expect(calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(isPassed(report)).toBe(true);
  });

  it('speaks the dialect of Anthropic where that is declared', async () => {
    const answer = {
      type: 'message',
      model: HONEST.model,
      content: [{ type: 'text', text: 'Well.' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 40, output_tokens: 2 },
    };
    const events = ['Well', ', that', ' depends.'].map(
      (text) =>
        `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', delta: { type: 'text_delta', text } })}\n\n`,
    );
    const { calls, report } = await probeEngine(
      {
        chat: () => Response.json(answer),
        stream: () => new Response(events.join(''), { headers: { 'content-type': 'text/event-stream' } }),
      },
      { dialect: 'anthropic-messages', key: 'sk-theirs' },
    );
    expect(isPassed(report)).toBe(true);
    const [post] = calls.filter(({ method }) => method === 'POST');
    expect(post?.path).toBe('/v1/messages');
    expect(post?.headers.get('x-api-key')).toBe('sk-theirs');
    expect(post?.headers.get('authorization')).toBeNull();
  });

  it('tries an embedder by a vector', async () => {
    const declared = { capabilities: ['embeddings'] } as const;
    const vector = (embedding: number[]) => ({ chat: () => Response.json({ data: [{ embedding }] }) });
    expect(isPassed((await probeEngine(vector([0.1, -0.2]), { declared: { ...declared, capabilities: ['embeddings'] } })).report)).toBe(
      true,
    );
    const { report, calls } = await probeEngine(vector([0, 0]), { declared: { capabilities: ['embeddings'] } });
    expect(findingsOf(report)).toEqual(['completion:fatal']);
    expect(calls.map(({ path }) => path)).toContain('/v1/embeddings');
  });

  it('says so where an engine tells of a load that cannot be, and does not repeat it', async () => {
    const { report } = await probeEngine({ metrics: 'vllm:num_requests_running 900000000\nvllm:num_requests_waiting 0\n' });
    expect(report.findings).toContainEqual({
      what: 'load',
      declared: null,
      seen: '900000000 requests at once, which cannot be',
      severity: 'mismatch',
    });
    expect(report.load).toBeNull();
  });

  it('reads the load and the pool of an SGLang whose metrics are off, and asks no other engine for them', async () => {
    const loads = {
      loads: [
        { num_running_reqs: 2, num_waiting_reqs: 1, token_usage: 0.4, max_total_num_tokens: 60_000 },
        { num_running_reqs: 3, num_waiting_reqs: 0, token_usage: 0.7, max_total_num_tokens: 60_000 },
      ],
    };
    const { report } = await probeEngine({ loads }, { engine: 'sglang' });
    expect(report.load).toEqual({ running: 5, waiting: 1, kv_usage: 0.7 });
    expect(report.seen.pool_tokens).toBe(120_000);
    const absurd = await probeEngine({ loads: { loads: [{ num_running_reqs: -5, max_total_num_tokens: 1e15 }] } }, { engine: 'sglang' });
    expect([absurd.report.load, absurd.report.seen.pool_tokens]).toEqual([null, null]);
    expect((await probeEngine({ loads })).calls.map(({ path }) => path)).not.toContain('/v1/loads');
  });

  it('needs neither health page nor metrics nor a list of models', async () => {
    const { report } = await probeEngine({
      models: () => new Response('not found', { status: 404 }),
      health: () => new Response('not found', { status: 404 }),
    });
    expect(isPassed(report)).toBe(true);
    expect(findingsOf(report)).toEqual([]);
    expect(report.models).toBeNull();
  });
});

describe('a probe of an endpoint that lies', () => {
  it('about its model: it is not in its list', async () => {
    const { report } = await probeEngine({ models: () => Response.json({ data: [{ id: 'tiny/llama-1b' }] }) });
    expect(findingsOf(report)).toContain('model:fatal');
    expect(isPassed(report)).toBe(false);
  });

  it('about its model: another repository stands under the name', async () => {
    const { report } = await probeEngine({ models: () => Response.json({ data: [{ id: HONEST.model, root: 'Qwen/Qwen2.5-0.5B' }] }) });
    expect(report.findings).toEqual([
      { what: 'model', declared: HONEST.model, seen: 'Qwen/Qwen2.5-0.5B under that name', severity: 'mismatch' },
    ]);
  });

  it('about its context', async () => {
    const { report } = await probeEngine({ context: 4_096 }, { declared: { context: 131_072 } });
    expect(report.seen.context).toBe(4_096);
    expect(report.findings).toEqual([{ what: 'context', declared: '131072', seen: '4096', severity: 'mismatch' }]);
  });

  it('not about the context of a model that its server has not loaded, of which only the training is known', async () => {
    const models = () => Response.json({ data: [{ id: HONEST.model, status: { value: 'unloaded' }, context_length: 40_960 }] });
    const { report } = await probeEngine({ models });
    expect(report.seen.context).toBeNull();
  });

  it('about its KV codec', async () => {
    const { report } = await probeEngine({ metrics: VLLM_METRICS }, { declared: { kvCache: 'bf16' } });
    expect(report.seen.kv_cache).toBe('fp8');
    expect(report.findings).toEqual([{ what: 'kv_cache', declared: 'bf16', seen: 'fp8', severity: 'mismatch' }]);
  });

  it('not about going on, where it repeats the beginning as llama-server does; but where it begins anew', async () => {
    const answering = async (text: (begun: string, rest: string) => string) => {
      const chat = (body: Record<string, unknown>) => {
        const last = (body['messages'] as { role: string; content: string }[]).at(-1);
        if (last?.role !== 'assistant') return undefined;
        const counted = (last.content.match(/\d+/g) ?? []).map(Number);
        const [first = 0, second = 0] = counted;
        const next = (counted.at(-1) ?? 0) + second - first;
        const choices = [{ message: { content: text(last.content, ` ${next}, ${next + second - first}`) }, finish_reason: 'length' }];
        return Response.json({ choices, usage: { prompt_tokens: 41, completion_tokens: 6 } });
      };
      const { report } = await probeEngine({ chat }, { engine: 'llama-cpp', declared: { capabilities: ['continuation'] } });
      return report.seen.capabilities.continuation;
    };
    expect(await answering((begun, rest) => begun + rest)).toBe(true);
    expect(await answering((_, rest) => rest)).toBe(true);
    expect(await answering((begun, rest) => begun.replace(';', ',') + rest)).toBe(false);
  });

  it('about what it can do: refusals, wrong answers and other results for one seed', async () => {
    const { report } = await probeEngine(
      {
        keepsSeed: false,
        chat(body) {
          if (body['tools'] !== undefined) return Response.json({ error: { message: 'no tools' } }, { status: 400 });
          const said = (content: string) =>
            Response.json({
              choices: [{ message: { content }, finish_reason: 'stop' }],
              usage: { prompt_tokens: 9, completion_tokens: 4 },
            });
          if (body['response_format'] !== undefined) return said('The capital is Lisbon.');
          // The count from its beginning, in place of its rest.
          if ('continue_final_message' in body) return said(begunIn(body).split(',').slice(0, 2).join());
          return undefined;
        },
      },
      { declared: { capabilities: ['tools', 'json_schema', 'json_object', 'seed', 'continuation'] } },
    );
    expect(report.seen.capabilities).toEqual({ tools: false, json_schema: false, json_object: false, seed: false, continuation: false });
    expect(findingsOf(report)).toEqual(Array(5).fill('capability:mismatch'));
    expect(isPassed(report)).toBe(true);
  });

  it('about log probabilities: above 0, or not there', async () => {
    const logprob = (value: number) => (body: Record<string, unknown>) =>
      body['logprobs'] === true
        ? Response.json({
            choices: [{ message: { content: 'Yes.' }, finish_reason: 'stop', logprobs: { content: [{ token: 'Yes', logprob: value }] } }],
            usage: { prompt_tokens: 9, completion_tokens: 1 },
          })
        : undefined;
    const declared = { declared: { capabilities: ['logprobs' as const] } };
    expect((await probeEngine({ chat: logprob(0.7) }, declared)).report.seen.capabilities).toEqual({ logprobs: false });
    expect((await probeEngine({ chat: logprob(-0.7) }, declared)).report.seen.capabilities).toEqual({ logprobs: true });
    const refusing = (body: Record<string, unknown>) => (body['logprobs'] === true ? new Response('{}', { status: 400 }) : undefined);
    const { report } = await probeEngine({ chat: refusing }, declared);
    expect(report.seen.capabilities).toEqual({ logprobs: false });
    expect(isPassed(report)).toBe(true);
  });

  it('about its usage', async () => {
    const usage = (prompt_tokens: number) => () =>
      Response.json({ choices: [{ message: { content: 'Hm.' }, finish_reason: 'stop' }], usage: { prompt_tokens, completion_tokens: 2 } });
    expect(findingsOf((await probeEngine({ chat: usage(90_000) })).report)).toContain('usage:mismatch');
    expect(findingsOf((await probeEngine({ chat: usage(60) })).report)).toEqual([]);
  });

  it('about its speed: inflated token counts make nobody faster', async () => {
    const events = Array.from({ length: 4 }, () => `data: ${JSON.stringify({ choices: [{ delta: { content: 'ab' } }] })}\n\n`);
    const last = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 100_000 } })}\n\n`;
    const { report } = await probeEngine({
      stream: () => new Response([...events, last].join(''), { headers: { 'content-type': 'text/event-stream' } }),
    });
    expect(report.speed.throughput?.tokens_per_second ?? 0).toBeLessThan(1_000);
  });

  it('about how many requests it takes at once', async () => {
    const { report } = await probeEngine({ slots: 2 }, { declared: { maxConcurrency: 64 } });
    expect(report.findings).toEqual([{ what: 'concurrency', declared: '64', seen: '6 of 8 turned away', severity: 'mismatch' }]);
    expect(report.speed.throughput?.streams).toBe(2);
  });
});
