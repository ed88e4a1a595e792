import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createOutbox } from '#cli/node/link/outbox';
import { BINARY, BUNDLE_BYTES_MAX, CHUNK_BYTES_MAX, decodeBinary, encodeBinary, encodeBundle, splitBundle } from '#schema/node-link';
import { settleDown } from '#test/support/fake-clock';
import { openSession, request } from './opened-session.ts';

const frame = (stream: number, sizeBytes = 1) => encodeBinary(BINARY.data, stream, new Uint8Array(sizeBytes).fill(stream));

function open() {
  const sent: Uint8Array[] = [];
  const outbox = createOutbox((message) => void sent.push(message));
  const parts = () => sent.flatMap((message) => splitBundle(message) ?? []);
  return { outbox, sent, parts };
}

describe('what a node says within one turn', () => {
  it('goes as one message, every frame whole and in order', async () => {
    const { outbox, sent, parts } = open();
    const frames = [frame(3), frame(1, 700), encodeBinary(BINARY.end, 3), frame(2, 0)];
    for (const one of frames) outbox.put(one);
    expect(sent).toHaveLength(0);
    await turn();
    expect(sent).toHaveLength(1);
    expect(parts()).toEqual(frames);
  });

  it('goes as it is where it is one frame, and a second turn has a message of its own', async () => {
    const { outbox, sent } = open();
    outbox.put(frame(1));
    await turn();
    outbox.put(frame(2));
    await turn();
    expect(sent).toEqual([frame(1), frame(2)]);
  });

  it('goes at once, and in order, where it would be longer than a bundle may be', async () => {
    const { outbox, sent, parts } = open();
    const frames = [1, 2, 3, 4, 5].map((stream) => frame(stream, CHUNK_BYTES_MAX));
    for (const one of frames) outbox.put(one);
    expect(sent.length).toBeGreaterThan(0);
    await turn();
    expect(parts()).toEqual(frames);
    expect(Math.max(...sent.map(({ length }) => length))).toBeLessThanOrEqual(BUNDLE_BYTES_MAX);
  });
});

describe('a bundle', () => {
  it.each([
    ['ends in the middle of a part', encodeBundle([frame(1), frame(2)]).slice(0, -1)],
    ['ends in the middle of a length', encodeBundle([frame(1)]).slice(0, 7)],
    ['says that a part is longer than all of it', encodeBundle([frame(1)]).fill(0xff, 5, 9)],
    ['is longer than may be', encodeBundle([frame(1, CHUNK_BYTES_MAX), frame(2, CHUNK_BYTES_MAX), frame(3)])],
  ])('that %s is none', (_, bundle) => {
    expect(splitBundle(bundle)).toBeNull();
  });
});

describe('a router', () => {
  const answer = async () => new Response('data: 1\n\n', { headers: { 'content-type': 'text/event-stream' } });

  it('that takes bundles gets head, words and end of an answer in one message', async () => {
    const opened = openSession({ askEngine: answer, takesBundles: true });
    opened.say(request(1));
    opened.say(request(2));
    await settleDown();
    await turn();
    expect(opened.messages).toHaveLength(1);
    const kinds = (splitBundle(opened.messages[0] as Uint8Array) ?? []).map((part) => decodeBinary(part)?.kind);
    const count = (kind: number): number => kinds.filter((one) => one === kind).length;
    expect([BINARY.head, BINARY.data, BINARY.end].map(count)).toEqual([2, 2, 2]);
    for (const stream of [1, 2]) {
      expect(opened.answered(stream)).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream' }, ended: true });
      expect(opened.text(stream)).toBe('data: 1\n\n');
    }
  });

  it('gets all of an answer from a node that leaves the moment it is whole', async () => {
    const opened = openSession({ askEngine: answer, takesBundles: true });
    opened.say(request(1));
    // Within one turn of the loop, in which the outbox still waits.
    while (opened.session.streams > 0) await Promise.resolve();
    expect(opened.messages).toEqual([]);
    opened.session.leave(1000, 'the node leaves');
    expect([opened.answered(1).ended, opened.text(1), opened.closed?.code]).toEqual([true, 'data: 1\n\n', 1000]);
  });

  it('of an older version, which does not say so, gets every frame by itself', async () => {
    const opened = openSession({ askEngine: answer });
    opened.say(request(1));
    await settleDown();
    await turn();
    expect(opened.frames.map(({ type }) => type)).toEqual(['hello', 'head']);
    expect(opened.messages.map((message) => message[0])).toEqual([BINARY.data, BINARY.end]);
  });
});
