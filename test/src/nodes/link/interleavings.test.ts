import { describe, expect, it } from 'vitest';
import { BINARY, CHUNK_BYTES_MAX, encodeBinary, encodeCredit, readCredit, WINDOW_BYTES } from '#schema/node-link';
import { seededRandom } from '#test/support/random-chunks';
import { ask, openRig, settle, type Heard, type Rig } from './link-rig.ts';

const STREAMS = 24;
const STEPS = 6_000;
/** Bodies are up to several windows long, so that all of them are used up. */
const BODY_BYTES_MAX = 3 * WINDOW_BYTES;

/** One stream as both ends should see it. */
interface Planned {
  heard: Heard;
  request: Uint8Array;
  answer: Uint8Array;
  /** Set by the test when either end breaks the stream off. */
  isReset: boolean;
  isBegun: boolean;
  consumedBytes: number;
  node: { received: Uint8Array[]; uncreditedBytes: number; sentBytes: number; windowBytes: number; hasEnded: boolean };
}

function fill(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + seed * 17 + (at >> 8)) & 0xff;
  return bytes;
}

const total = (pieces: readonly Uint8Array[]) => pieces.reduce((sum, { length }) => sum + length, 0);

/** Runs one random schedule of two ends and the frames between them, checking the invariants at each step. */
async function play(seed: number): Promise<{ planned: Planned[]; rig: Rig }> {
  const random = seededRandom(seed);
  const upTo = (max: number) => 1 + Math.floor(random() * max);
  const rig = openRig();
  const toLink: (() => void)[] = [];
  const planned: Planned[] = [];
  const byNumber = (number: number) => planned.find(({ heard }) => heard.number === number)!;

  function begin(): void {
    const request = fill(random() < 0.5 ? 0 : upTo(BODY_BYTES_MAX), planned.length);
    const answer = fill(random() < 0.1 ? 0 : upTo(BODY_BYTES_MAX), planned.length + 100);
    const heard = ask(rig, request.length === 0 ? {} : { bodyBytes: request.length });
    const node = { received: [], uncreditedBytes: 0, sentBytes: 0, windowBytes: WINDOW_BYTES, hasEnded: false };
    planned.push({ heard, request, answer, isReset: false, isBegun: false, consumedBytes: 0, node });
    if (request.length > 0) void heard.stream.send(request).then((isOpen) => isOpen && heard.stream.endBody());
  }

  /** The node reads one frame of the router. */
  function nodeReads(): void {
    const frame = rig.binaries.shift();
    if (frame === undefined) return;
    const { isReset, node, request } = byNumber(frame.stream);
    if (frame.kind === BINARY.data) {
      node.received.push(frame.payload);
      node.uncreditedBytes += frame.payload.length;
      expect(node.uncreditedBytes).toBeLessThanOrEqual(WINDOW_BYTES);
    }
    if (frame.kind === BINARY.credit) node.windowBytes += readCredit(frame.payload) ?? 0;
    if (frame.kind === BINARY.end) expect(total(node.received)).toBe(request.length);
    if (frame.kind === BINARY.reset) {
      expect(isReset).toBe(true);
      node.hasEnded = true;
    }
  }

  function nodeSends({ heard: { number }, node, answer }: Planned): void {
    if (node.hasEnded) return;
    const length = Math.min(node.windowBytes, CHUNK_BYTES_MAX, upTo(CHUNK_BYTES_MAX), answer.length - node.sentBytes);
    if (length > 0) {
      const piece = encodeBinary(BINARY.data, number, answer.subarray(node.sentBytes, node.sentBytes + length));
      node.sentBytes += length;
      node.windowBytes -= length;
      toLink.push(() => rig.session.receiveBinary(piece));
    } else if (node.sentBytes === answer.length) {
      node.hasEnded = true;
      toLink.push(() => rig.session.receiveBinary(encodeBinary(BINARY.end, number)));
    }
  }

  function nodeBegins(one: Planned): void {
    if (one.isBegun) return nodeSends(one);
    one.isBegun = true;
    const text = JSON.stringify({ type: 'head', stream: one.heard.number, status: 200, headers: {} });
    toLink.push(() => rig.session.receiveText(text));
  }

  function nodeCredits({ heard: { number }, node }: Planned): void {
    if (node.uncreditedBytes === 0 || node.hasEnded) return;
    const bytes = upTo(node.uncreditedBytes);
    node.uncreditedBytes -= bytes;
    toLink.push(() => rig.session.receiveBinary(encodeCredit(number, bytes)));
  }

  function read(one: Planned): void {
    const unread = one.heard.unreadBytes - one.consumedBytes;
    expect(unread).toBeLessThanOrEqual(WINDOW_BYTES);
    if (unread === 0) return;
    const bytes = upTo(unread);
    one.consumedBytes += bytes;
    one.heard.stream.consumed(bytes);
  }

  function breakOff(one: Planned): void {
    if (one.node.hasEnded || one.heard.end !== null) return;
    one.isReset = true;
    if (random() < 0.5) return one.heard.stream.reset('left');
    one.node.hasEnded = true;
    toLink.push(() => rig.session.receiveBinary(encodeBinary(BINARY.reset, one.heard.number)));
  }

  const any = () => planned[Math.floor(random() * planned.length)]!;
  for (let step = 0; step < STEPS; step++) {
    const dice = random();
    if (planned.length === 0 || (dice < 0.02 && planned.length < STREAMS)) begin();
    else if (dice < 0.3) nodeReads();
    else if (dice < 0.55) toLink.shift()?.();
    else if (dice < 0.75) nodeBegins(any());
    else if (dice < 0.85) nodeCredits(any());
    else if (dice < 0.998) read(any());
    else breakOff(any());
    if (step % 8 === 0) await settle();
  }
  // Both ends go on until nothing is left to do.
  for (let round = 0; round < 10_000; round++) {
    for (const one of planned) {
      nodeBegins(one);
      read(one);
      if (one.node.uncreditedBytes > 0) nodeCredits(one);
    }
    while (rig.binaries.length > 0) nodeReads();
    while (toLink.length > 0) toLink.shift()!();
    await settle();
    if (planned.every(({ heard, isReset }) => heard.end !== null || isReset)) break;
  }
  return { planned, rig };
}

describe('a link of many streams', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    'brings every byte once, in order, to the stream that it belongs to, and keeps every window (seed %i)',
    async (seed) => {
      const { planned, rig } = await play(seed);
      expect(rig.closed).toBeNull();
      expect(rig.session.streams).toBe(0);
      expect(planned.filter(({ heard }) => heard.end === 'end').length).toBeGreaterThan(STREAMS / 4);
      for (const { heard, answer, request, node, isReset } of planned) {
        const came = Buffer.concat(heard.pieces);
        expect(came.equals(answer.subarray(0, came.length))).toBe(true);
        if (heard.end === 'end') expect(came.length).toBe(answer.length);
        const got = Buffer.concat(node.received);
        expect(got.equals(request.subarray(0, got.length))).toBe(true);
        expect([heard.end === 'end' || isReset, heard.afterEnd]).toEqual([true, 0]);
      }
    },
  );
});
