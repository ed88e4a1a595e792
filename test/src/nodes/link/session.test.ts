import { describe, expect, it } from 'vitest';
import {
  BINARY,
  CHUNK_BYTES_MAX,
  CONTROL_CHARS_MAX,
  CREDIT_STEP_BYTES,
  encodeBinary,
  encodeBundle,
  LINK_BUFFER_BYTES_MAX,
  LINK_CLOSE,
  STREAMS_MAX,
  WINDOW_BYTES,
} from '#schema/node-link';
import { ask, credit, data, end, fillWindow, head, openRig, reset, settle } from './link-rig.ts';

const violated = { code: LINK_CLOSE.violation };

describe('a session', () => {
  it('numbers streams rising, never twice, and goes on where a woken object must', () => {
    const rig = openRig();
    expect([ask(rig), ask(rig), ask(rig)].map(({ number }) => number)).toEqual([1, 2, 3]);
    const woken = openRig(rig.numbered.at(-1));
    expect(ask(woken).number).toBeGreaterThan(3);
  });

  it('T8: gives each answer to its own stream', () => {
    const rig = openRig();
    const [one, other] = [ask(rig), ask(rig)];
    head(rig, other.number, 429);
    head(rig, one.number);
    data(rig, one.number, new Uint8Array([1]));
    data(rig, other.number, new Uint8Array([2]));
    end(rig, one.number);
    end(rig, other.number);
    expect([one, other].map(({ status, pieces, end: how }) => ({ status, bytes: pieces.map(([byte]) => byte), how }))).toEqual([
      { status: 200, bytes: [1], how: 'end' },
      { status: 429, bytes: [2], how: 'end' },
    ]);
    expect(rig.session.streams).toBe(0);
  });

  it('takes no more requests at once than a node may have', () => {
    const rig = openRig();
    for (let count = 0; count < STREAMS_MAX; count++) ask(rig);
    expect(rig.session.isFull).toBe(true);
    expect(() => ask(rig)).toThrow('took no request');
  });

  it('breaks every stream when the link breaks, and takes nothing more', async () => {
    const rig = openRig();
    const streams = [ask(rig), ask(rig), ask(rig, { bodyBytes: 1e6 })];
    head(rig, 1);
    const sending = streams[2]!.stream.send(new Uint8Array(1e6));
    rig.session.over();
    expect(streams.map((stream) => stream.end)).toEqual(['unlinked', 'unlinked', 'unlinked']);
    expect(await sending).toBe(false);
    expect(() => ask(rig)).toThrow('took no request');
  });
});

describe('the window of an answer', () => {
  it('gives credit for what was read, in steps', () => {
    const rig = openRig();
    const { number, stream } = ask(rig);
    head(rig, number);
    data(rig, number, CHUNK_BYTES_MAX);
    stream.consumed(CREDIT_STEP_BYTES - 1);
    expect(rig.binaries).toEqual([]);
    stream.consumed(1);
    expect(rig.binaries).toMatchObject([{ kind: BINARY.credit, stream: number }]);
  });

  it('a node that sends more than the window allows is closed', () => {
    const rig = openRig();
    const { number } = ask(rig);
    head(rig, number);
    fillWindow(rig, number);
    expect(rig.closed).toBeNull();
    data(rig, number, 1);
    expect(rig.closed).toMatchObject(violated);
  });

  it('I9: readers that do not read cost a bounded memory: the one that holds most is given up, the others stay', () => {
    const rig = openRig();
    const lazy = Array.from({ length: LINK_BUFFER_BYTES_MAX / WINDOW_BYTES + 1 }, () => ask(rig));
    for (const { number } of lazy) {
      head(rig, number);
      fillWindow(rig, number);
    }
    const broken = lazy.filter((stream) => stream.end !== null);
    expect(broken.map((stream) => stream.end)).toEqual(['unread']);
    expect(rig.closed).toBeNull();
    expect(rig.binaries.map(({ kind, stream }) => ({ kind, stream }))).toEqual([{ kind: BINARY.reset, stream: broken[0]!.number }]);
  });

  it('I9: what nobody has read of answers that are whole counts, until it is read or its reader leaves', () => {
    const rig = openRig();
    const answer = () => {
      const heard = ask(rig);
      head(rig, heard.number);
      fillWindow(rig, heard.number);
      end(rig, heard.number);
      return heard;
    };
    const unread = Array.from({ length: LINK_BUFFER_BYTES_MAX / WINDOW_BYTES }, answer);
    const given = () => [...unread, one, other].filter(({ end: how }) => how === 'unread').length;
    unread[0]?.stream.consumed(WINDOW_BYTES);
    unread[1]?.stream.reset('the client has left');
    const [one, other] = [answer(), answer()];
    expect([rig.session.streams, given()]).toEqual([0, 0]);
    answer();
    expect(given()).toBe(1);
    expect([rig.closed, rig.binaries]).toEqual([null, []]);
  });
});

describe('the window of a request', () => {
  it('is never exceeded, and sending goes on with the node’s credit', async () => {
    const rig = openRig();
    const { number, stream } = ask(rig, { bodyBytes: WINDOW_BYTES + 10 });
    let isSent = false;
    void stream.send(new Uint8Array(WINDOW_BYTES + 10)).then(() => (isSent = true));
    await settle();
    const sentBytes = () => rig.binaries.reduce((sum, { payload }) => sum + payload.length, 0);
    expect(sentBytes()).toBe(WINDOW_BYTES);
    expect(Math.max(...rig.binaries.map(({ payload }) => payload.length))).toBe(CHUNK_BYTES_MAX);
    credit(rig, number, 10);
    await settle();
    expect([sentBytes(), isSent]).toEqual([WINDOW_BYTES + 10, true]);
  });

  it('all requests together are bounded: what a node does not take waits here', async () => {
    const rig = openRig();
    const count = LINK_BUFFER_BYTES_MAX / WINDOW_BYTES + 5;
    const asked = Array.from({ length: count }, () => ask(rig, { bodyBytes: WINDOW_BYTES }));
    for (const { stream } of asked) void stream.send(new Uint8Array(WINDOW_BYTES));
    await settle();
    const sentBytes = () => rig.binaries.filter(({ kind }) => kind === BINARY.data).reduce((sum, { payload }) => sum + payload.length, 0);
    expect(sentBytes()).toBe(LINK_BUFFER_BYTES_MAX);
    for (const { number } of asked.slice(0, 5)) {
      head(rig, number);
      end(rig, number);
    }
    await settle();
    expect(sentBytes()).toBe(LINK_BUFFER_BYTES_MAX + 5 * WINDOW_BYTES);
  });

  it('credit for what was never sent closes the link', () => {
    const rig = openRig();
    credit(rig, ask(rig).number, 1);
    expect(rig.closed).toMatchObject(violated);
  });
});

describe('frames out of order', () => {
  it.each<[string, (rig: ReturnType<typeof openRig>, number: number) => void]>([
    ['two heads', (rig, number) => (head(rig, number), head(rig, number))],
    ['data before the head', (rig, number) => data(rig, number, 3)],
    ['an end before the head', (rig, number) => end(rig, number)],
  ])('%s: that stream is reset, the others go on', (_, offend) => {
    const rig = openRig();
    const [bad, good] = [ask(rig), ask(rig)];
    offend(rig, bad.number);
    expect([bad.end, good.end, rig.closed]).toEqual(['protocol', null, null]);
    expect(rig.binaries).toMatchObject([{ kind: BINARY.reset, stream: bad.number }]);
    head(rig, good.number);
    end(rig, good.number);
    expect(good.end).toBe('end');
  });

  it('what was on its way when a client left is no offence, up to the window; the client hears nothing of it', () => {
    const rig = openRig();
    const left = ask(rig);
    head(rig, left.number);
    left.stream.reset('the client has left');
    fillWindow(rig, left.number);
    end(rig, left.number);
    expect([left.pieces, left.end, rig.closed]).toEqual([[], null, null]);
  });

  it('a node that goes on talking on streams that are over is closed after a while', () => {
    const rig = openRig();
    const { number } = ask(rig);
    head(rig, number);
    end(rig, number);
    for (let frame = 0; frame < 1_000 && rig.closed === null; frame++) data(rig, number, 1);
    expect(rig.closed).toMatchObject(violated);
  });

  it('what is remembered of streams that are over is bounded, and does not close an honest link', () => {
    const rig = openRig();
    for (let count = 0; count < 10_000; count++) {
      const { number } = ask(rig);
      head(rig, number);
      end(rig, number);
      credit(rig, number, 0);
    }
    expect(rig.closed).toBeNull();
  });
});

const text = (words: string) => new TextEncoder().encode(words);
const headOf = (stream: number) => encodeBinary(BINARY.head, stream, text('{"status":201,"headers":{}}'));

describe('frames that come together', () => {
  it('T8: go to their own streams, in order', () => {
    const rig = openRig();
    const [one, other] = [ask(rig), ask(rig)];
    rig.session.receiveBinary(
      encodeBundle([
        headOf(other.number),
        encodeBinary(BINARY.data, other.number, text('b')),
        headOf(one.number),
        encodeBinary(BINARY.data, one.number, text('a')),
        encodeBinary(BINARY.end, other.number),
        encodeBinary(BINARY.data, one.number, text('c')),
        encodeBinary(BINARY.reset, one.number),
      ]),
    );
    const heard = [one, other].map(({ status, pieces, end: how, afterEnd }) => [status, Buffer.concat(pieces).toString(), how, afterEnd]);
    expect(heard).toEqual([
      [201, 'ac', 'reset', 0],
      [201, 'b', 'end', 0],
    ]);
    expect([rig.closed, rig.session.streams]).toEqual([null, 0]);
  });

  it('of which one is out of order reset its stream alone', () => {
    const rig = openRig();
    const [bad, good] = [ask(rig), ask(rig)];
    rig.session.receiveBinary(
      encodeBundle([headOf(bad.number), headOf(bad.number), headOf(good.number), encodeBinary(BINARY.end, good.number)]),
    );
    expect([bad.end, good.end, rig.closed]).toEqual(['protocol', 'end', null]);
  });
});

describe('frames that no honest node sends close the link and break every stream', () => {
  it.each<[string, string | Uint8Array<ArrayBuffer>]>([
    ['a stream that was never opened', encodeBinary(BINARY.data, 99, new Uint8Array(1))],
    ['stream 0', JSON.stringify({ type: 'head', stream: 0, status: 200, headers: {} })],
    ['a head of a stream that was never opened', JSON.stringify({ type: 'head', stream: 99, status: 200, headers: {} })],
    ['data of stream 0', encodeBinary(BINARY.data, 0, new Uint8Array(1))],
    ['a binary head that is none', encodeBinary(BINARY.head, 1, text('{"status":200}'))],
    ['a binary head that is no JSON', encodeBinary(BINARY.head, 1, text('{'))],
    ['a bundle that is cut off', encodeBundle([encodeBinary(BINARY.end, 1)]).slice(0, -1)],
    ['a bundle in a bundle', encodeBundle([encodeBundle([encodeBinary(BINARY.end, 1)])])],
    ['a bundle with a frame of a stream that was never opened', encodeBundle([encodeBinary(BINARY.reset, 99), headOf(1)])],
    ['an unknown kind', encodeBinary(9 as 1, 1)],
    ['a frame without a stream', new Uint8Array([1, 0])],
    ['an oversize frame', encodeBinary(BINARY.data, 1, new Uint8Array(CHUNK_BYTES_MAX + 1))],
    ['an oversize control frame', JSON.stringify({ type: 'load', load: null, pad: 'x'.repeat(CONTROL_CHARS_MAX) })],
    ['a credit without a number', encodeBinary(BINARY.credit, 1)],
    ['what is no JSON', '{'],
    ['an unknown control frame', '{"type":"request"}'],
    ['a second hello', '{"type":"hello"}'],
    ['a load below zero', '{"type":"load","load":{"running":-1,"waiting":0,"kvUsage":null}}'],
    ['a status that is none', JSON.stringify({ type: 'head', stream: 1, status: 9, headers: {} })],
  ])('%s', (_, message) => {
    const rig = openRig();
    const streams = [ask(rig), ask(rig)];
    if (typeof message === 'string') rig.session.receiveText(message);
    else rig.session.receiveBinary(message);
    expect(rig.closed).toMatchObject(violated);
    expect(streams.map((stream) => stream.end)).toEqual(['unlinked', 'unlinked']);
    reset(rig, 1);
    expect(streams[0]!.afterEnd).toBe(0);
  });
});
