/** An engine that answers as a test says, on a clock that only the test moves: what probes are tried on. */
import { createRandom } from '#devnet/random';
import type { ProbeReport } from '#schema/probe';
import { sayChat } from '#src/dispatch/say-chat';
import { probe } from '#src/nodes/probe/probe';
import type { ProbePorts, ProbeTarget } from '#src/nodes/probe/target';
import { createManualClock, type ManualClock } from '#test/support/manual-clock';
import { obedientCall, obedientText } from '#test/support/obedient-answer';

type Body = Record<string, unknown>;

/** What an engine is like; an honest one by default. A function in place of a page answers that page. */
export interface Traits {
  model: string;
  context: number | null;
  metrics: string | null;
  /** What SGLang tells at `/v1/loads`; null where it does not. */
  loads: object | null;
  prefillMs: number;
  tokenMs: number;
  /** Requests at once; more are turned away. */
  slots: number;
  /** Whole answers to chats; undefined answers as a model does. */
  chat?: (body: Body) => Response | 'silent' | undefined;
  /** Streamed answers; undefined streams as a model does. */
  stream?: (body: Body) => Response | 'silent' | undefined;
  models?: () => Response | 'silent';
  health?: () => Response | 'silent';
  /** It stands behind a link, which answers 502 itself once a request is left. */
  isLinked: boolean;
  /** The answer's text is the same for the same seed. */
  keepsSeed: boolean;
}

export interface Call {
  method: string;
  path: string;
  headers: Headers;
  body: Body;
  redirect: string | undefined;
}

export const HONEST: Traits = {
  model: 'Qwen/Qwen3-8B-FP8',
  context: 32_768,
  metrics: null,
  loads: null,
  prefillMs: 100,
  tokenMs: 10,
  slots: 64,
  isLinked: false,
  keepsSeed: true,
};

export function targetOf(over: Partial<Omit<ProbeTarget, 'declared'>> & { declared?: Partial<ProbeTarget['declared']> } = {}): ProbeTarget {
  const { declared, ...rest } = over;
  return {
    url: 'https://gpu.example.com/v1',
    dialect: 'openai-chat',
    upstreamModel: HONEST.model,
    engine: 'vllm',
    key: null,
    ...rest,
    declared: { context: 32_768, quantization: 'fp8', kvCache: 'fp8', capabilities: [], maxConcurrency: 16, ...declared },
  };
}

/** Opens an engine as a `fetch`. */
export function createEngine(clock: ManualClock, over: Partial<Traits> = {}): { fetch: typeof fetch; calls: Call[] } {
  const traits = { ...HONEST, ...over };
  const calls: Call[] = [];
  let busy = 0;
  let answers = 0;

  const wait = (ms: number) => new Promise<void>((resolve) => void clock.timers.set(resolve, ms));

  function page(path: string): Response | 'silent' {
    if (path === '/health') return traits.health?.() ?? new Response('');
    if (path === '/metrics') return traits.metrics === null ? new Response('not found', { status: 404 }) : new Response(traits.metrics);
    if (path === '/v1/loads' && traits.loads !== null) return Response.json(traits.loads);
    if (path === '/v1/models') {
      return (
        traits.models?.() ??
        Response.json({ data: [{ id: traits.model, ...(traits.context !== null && { max_model_len: traits.context }) }] })
      );
    }
    return new Response('not found', { status: 404 });
  }

  function textOf(body: Body): string {
    const obedient = obedientText(body);
    if (obedient !== null) return obedient;
    return body['seed'] !== undefined && traits.keepsSeed ? `whale ${JSON.stringify(body['seed'])}` : `an answer, the ${++answers}th`;
  }

  async function complete(body: Body): Promise<Response> {
    await wait(traits.prefillMs + 5 * traits.tokenMs);
    const called = obedientCall(body);
    const calls = called === null ? undefined : [{ id: 'c', type: 'function', function: called }];
    const logprobs = body['logprobs'] === true ? { content: [{ token: 'a', logprob: -0.5 }] } : null;
    const message = { role: 'assistant', content: calls === undefined ? textOf(body) : null, ...(calls && { tool_calls: calls }) };
    return Response.json({
      model: traits.model,
      choices: [{ index: 0, message, finish_reason: calls === undefined ? 'stop' : 'tool_calls', logprobs }],
      usage: { prompt_tokens: 50, completion_tokens: 5 },
    });
  }

  function streamed(body: Body, signal: AbortSignal, release: () => void): Response {
    const tokens = Number(body['max_completion_tokens'] ?? body['max_tokens']);
    let sent = 0;
    const event = (value: unknown) => new TextEncoder().encode(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`);
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => signal.addEventListener('abort', () => controller.error(signal.reason)),
        async pull(controller) {
          await wait(sent === 0 ? traits.prefillMs : traits.tokenMs);
          if (signal.aborted) return;
          if (sent++ < tokens) return controller.enqueue(event({ choices: [{ delta: { content: 'word ' } }] }));
          controller.enqueue(event({ choices: [], usage: { prompt_tokens: 50, completion_tokens: tokens } }));
          controller.enqueue(event('[DONE]'));
          controller.close();
          release();
        },
        cancel: release,
      },
      { highWaterMark: 0 },
    );
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
  }

  async function answer(call: Call, signal: AbortSignal): Promise<Response | 'silent'> {
    if (call.method === 'GET') return page(call.path);
    const { body } = call;
    const isStream = body['stream'] === true;
    const scripted = isStream ? traits.stream?.(body) : traits.chat?.(body);
    if (scripted !== undefined) return scripted;
    if (busy >= traits.slots) return Response.json({ error: { message: 'full' } }, { status: 503 });
    busy++;
    let released = false;
    const release = () => {
      if (!released) busy--;
      released = true;
    };
    signal.addEventListener('abort', release);
    if (isStream) return streamed(body, signal, release);
    const response = await complete(body);
    release();
    return response;
  }

  const reach = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const signal = init.signal ?? new AbortController().signal;
    const call: Call = {
      method: init.method ?? 'GET',
      path: new URL(String(input)).pathname,
      headers: new Headers(init.headers as Record<string, string>),
      body: typeof init.body === 'string' ? (JSON.parse(init.body) as Body) : {},
      redirect: init.redirect,
    };
    calls.push(call);
    const aborted = new Promise<Response>((resolve, reject) => {
      const refusal = () => Response.json({ error: { code: 'node_reset' } }, { status: 502 });
      signal.addEventListener('abort', () => (traits.isLinked ? resolve(refusal()) : reject(signal.reason as Error)));
    });
    const answered = await Promise.race([answer(call, signal), aborted]);
    return answered === 'silent' ? aborted : answered;
  };
  return { fetch: reach as typeof fetch, calls };
}

export interface Probed {
  report: ProbeReport;
  calls: Call[];
  tookMs: number;
}

/** Probes an engine and lets all the time pass that it takes. */
export async function probeEngine(
  over: Partial<Traits> = {},
  target: Parameters<typeof targetOf>[0] = {},
  how: 'thorough' | 'quick' = 'thorough',
  seed = 1,
): Promise<Probed> {
  const clock = createManualClock();
  const engine = createEngine(clock, over);
  const ports: ProbePorts = { fetch: engine.fetch, now: clock.now, timers: clock.timers, random: createRandom(seed), say: sayChat };
  const startedAtMs = clock.now();
  let tookMs = Infinity;
  const probing = probe(targetOf(target), ports, how).then((report) => {
    tookMs = clock.now() - startedAtMs;
    return report;
  });
  await clock.pass(9_000);
  return { report: await Promise.race([probing, Promise.reject(new Error('the probe never ends'))]), calls: engine.calls, tookMs };
}

/** What was found, as `what:severity`. */
export function findingsOf({ findings }: ProbeReport): string[] {
  return findings.map(({ what, severity }) => `${what}:${severity}`);
}
