import { describe, expect, it } from 'vitest';
import { dialectOf } from '#providers/registry';
import type { StreamEvent } from '#schema/reply';
import { openEventStream } from '#src/dispatch/event-stream';
import type { Watchdog } from '#src/dispatch/watchdog';
import { randomChunks } from '#test/support/random-chunks';
import { chunk, DONE } from '#test/support/scripted-fetch';

const TARGET = {
  url: 'https://a.example/v1',
  upstreamModel: 'm',
  quirks: {},
  auth: 'bearer',
  headers: {},
  key: null,
  maxOutput: null,
} as const;

interface Watched extends Watchdog {
  comments: number;
}

function watchdogOf(verdict: ReturnType<Watchdog['verdict']> = null): Watched {
  const watched: Watched = {
    comments: 0,
    signal: new AbortController().signal,
    verdict: () => verdict,
    commit() {},
    waiting() {},
    arrived() {},
    comment() {
      watched.comments++;
    },
    abort() {},
    stop() {},
  };
  return watched;
}

type Piece = string | Uint8Array;

function open(pieces: readonly Piece[], then: 'end' | 'break' | 'hang' = 'end', watchdog = watchdogOf()) {
  const state = { cancelled: false, reads: 0 };
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[state.reads++];
        if (piece !== undefined) controller.enqueue(typeof piece === 'string' ? encoder.encode(piece) : piece);
        else if (then === 'end') controller.close();
        else if (then === 'break') controller.error(new TypeError('reset'));
        else return new Promise<void>(() => undefined);
        return undefined;
      },
      cancel() {
        state.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream: openEventStream(body, dialectOf('openai-chat').createStreamDecoder(TARGET), watchdog), state, watchdog };
}

async function readAll({ stream }: ReturnType<typeof open>): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for (let batch = await stream.next(); batch !== null; batch = await stream.next()) events.push(...batch);
  return events;
}

const data = (event: object) => `data: ${JSON.stringify(event)}\n\n`;
const kinds = (events: readonly StreamEvent[]) => events.map(({ kind }) => kind);

const WORDS = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Grüße 🌊' }), chunk({ content: '漢字 👩‍👩‍👧' }), chunk({}, 'stop')];
const PLAIN = WORDS.map(data).join('') + DONE;

describe('framing', () => {
  const texts: Record<string, string> = {
    LF: PLAIN,
    CRLF: PLAIN.replaceAll('\n', '\r\n'),
    CR: PLAIN.replaceAll('\n', '\r'),
    'mixed line ends': PLAIN.replace('\n\n', '\r\n\r\n').replace(/\n\n$/, '\r\r'),
    'comments, ids and retry': `: hello\n\nretry: 10\n${PLAIN.replaceAll('data: ', 'id: 7\ndata: ')}`,
    'no space after the colon': PLAIN.replaceAll('data: ', 'data:'),
    'a byte order mark': `\uFEFF${PLAIN}`,
    'no final blank line': PLAIN.trimEnd(),
    'data over several lines': PLAIN.replaceAll(',"choices"', ',\ndata: "choices"'),
    'an error after content': `${data(WORDS[1]!)}${data({ error: { message: 'boom', code: 500 } })}${data(WORDS[2]!)}`,
    'malformed JSON in the middle': `${data(WORDS[1]!)}data: {"choices":[{\n\n${data(WORDS[2]!)}`,
  };

  it.each(Object.entries(texts))('T1 T2: cutting the bytes anywhere never changes the outcome of %s', async (_name, text) => {
    const whole = await readAll(open([text]));
    expect(whole.length).toBeGreaterThan(1);
    for (let seed = 0; seed < 30; seed++) {
      const cut = await readAll(open(randomChunks(text, seed, seed === 0 ? 1 : 1 + seed)));
      expect(cut, `seed ${seed}`).toEqual(whole);
    }
  });

  const SAME = [
    'LF',
    'CRLF',
    'CR',
    'mixed line ends',
    'comments, ids and retry',
    'no space after the colon',
    'a byte order mark',
    'no final blank line',
    'data over several lines',
  ];
  it.each(SAME)('T2: %s reads as the same answer', async (name) => {
    expect(await readAll(open([texts[name]!]))).toEqual(await readAll(open([PLAIN])));
  });

  it('T11: comments reach the watchdog and never the client', async () => {
    const subject = open([': ping\n\n', `: ping\n\n${PLAIN}`]);
    expect(kinds(await readAll(subject))).toEqual(['chunk', 'chunk', 'chunk', 'chunk', 'done']);
    expect(subject.watchdog.comments).toBe(2);
  });

  it('gives all events of one read in one batch and waits for no more', async () => {
    const { stream, state } = open([data(WORDS[0]!) + data(WORDS[1]!), data(WORDS[2]!)], 'hang');
    expect(kinds((await stream.next()) ?? [])).toEqual(['chunk', 'chunk']);
    expect(state.reads).toBe(1);
  });
});

describe('the end of a stream', () => {
  it('T3: nothing after [DONE] is part of the answer', async () => {
    for (const text of [PLAIN + DONE, PLAIN + data(WORDS[1]!), `${PLAIN}data: garbage\n\n`]) {
      expect(kinds(await readAll(open([text])))).toEqual(['chunk', 'chunk', 'chunk', 'chunk', 'done']);
      expect(kinds(await readAll(open(randomChunks(text, 3, 5))))).toEqual(['chunk', 'chunk', 'chunk', 'chunk', 'done']);
    }
  });

  it('T3: bytes that end without [DONE] end the events without one', async () => {
    expect(kinds(await readAll(open([PLAIN.replace(DONE, '')])))).toEqual(['chunk', 'chunk', 'chunk', 'chunk']);
  });

  it('gives [DONE] at once, although the upstream keeps the connection open', async () => {
    const { stream } = open([PLAIN], 'hang');
    expect(kinds((await stream.next()) ?? []).at(-1)).toBe('done');
    expect(await stream.next()).toBeNull();
  });

  it('reads a little past [DONE] for the connection to be used again, and not without bound', async () => {
    const { stream, state } = open([PLAIN, ...Array.from({ length: 100 }, () => ': more\n\n')]);
    await stream.next();
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(state.reads).toBeLessThan(10);
    expect(state.cancelled).toBe(true);
  });

  it('T4: an error event is the last event, and the body is cancelled', async () => {
    const subject = open([data(WORDS[1]!), data({ error: { message: 'boom', code: 500 } }), data(WORDS[2]!)], 'hang');
    const events = await readAll(subject);
    expect(kinds(events)).toEqual(['chunk', 'failure']);
    expect(events[1]).toMatchObject({ failure: { kind: 'upstream_error', detail: 'boom' } });
    expect(subject.state.cancelled).toBe(true);
  });

  it('a broken connection is one failure event after what arrived', async () => {
    const events = await readAll(open([data(WORDS[1]!)], 'break'));
    expect(kinds(events)).toEqual(['chunk', 'failure']);
    expect(events[1]).toMatchObject({ failure: { kind: 'connect', origin: 'local' } });
  });

  it('a connection that the watchdog broke fails for the reason of the watchdog', async () => {
    const stall = { kind: 'timeout_stall', origin: 'local', detail: 'silence' } as const;
    expect(await readAll(open([], 'break', watchdogOf(stall)))).toEqual([{ kind: 'failure', failure: stall }]);
  });

  it.each([
    ['line', `data: ${'x'.repeat(9 * 1024 * 1024)}`],
    ['event of many lines', 'data: xxxxxxxxxxxxxxxx\n'.repeat(600_000)],
  ])('I6: a giant %s is a protocol failure and is not read to its end', async (_name, giant) => {
    const pieces = [giant, ...Array.from({ length: 50 }, () => 'data: more\n')];
    const subject = open(pieces);
    const events = await readAll(subject);
    expect(events).toMatchObject([{ kind: 'failure', failure: { kind: 'protocol', origin: 'external' } }]);
    expect(subject.state.cancelled).toBe(true);
    expect(subject.state.reads).toBeLessThan(5);
  });

  it('I6: a giant event in small pieces fails as soon as the limit is passed', async () => {
    const piece = 'x'.repeat(512 * 1024);
    const subject = open(['data: ', ...Array.from({ length: 64 }, () => piece)]);
    expect(await readAll(subject)).toMatchObject([{ kind: 'failure', failure: { kind: 'protocol' } }]);
    expect(subject.state.reads).toBeLessThan(20);
  });

  it('cancel stops reading and tells the upstream, however often', async () => {
    const { stream, state } = open([data(WORDS[1]!), data(WORDS[2]!)], 'hang');
    await stream.next();
    stream.cancel();
    stream.cancel();
    expect(state.cancelled).toBe(true);
    expect(await stream.next()).toBeNull();
  });
});
