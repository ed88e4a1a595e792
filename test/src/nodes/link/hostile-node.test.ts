import { describe, expect, it } from 'vitest';
import { BINARY, encodeBinary, encodeBundle, encodeCredit, LINK_CLOSE } from '#schema/node-link';
import { seededRandom } from '#test/support/random-chunks';
import { ask, openRig, type Heard } from './link-rig.ts';

const FRAMES = 120;

/** Says something that an honest node might, to nearly the right stream, in any order. */
function frameOf(random: () => number, streams: number): Uint8Array {
  const upTo = (most: number) => Math.floor(random() * most);
  const stream = random() < 0.002 ? upTo(2) * (streams + 1) : 1 + upTo(streams);
  const pick = upTo(1_000);
  if (pick < 3) return new Uint8Array(0);
  if (pick < 6) return encodeBundle([encodeBinary(BINARY.end, stream)]);
  if (pick < 300) return encodeBinary(BINARY.head, stream, new TextEncoder().encode('{"status":200,"headers":{}}'));
  if (pick < 700) return encodeBinary(BINARY.data, stream, new Uint8Array(upTo(20_000)));
  if (pick < 800) return encodeBinary(BINARY.end, stream);
  if (pick < 850) return encodeBinary(BINARY.reset, stream);
  return encodeCredit(stream, 0);
}

/** Damages a message, sometimes. */
function damaged(message: Uint8Array, random: () => number): Uint8Array {
  if (random() > 0.02) return message;
  const copy = message.slice(0, Math.ceil(random() * message.length));
  if (copy.length > 0) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256);
  return copy;
}

function play(seed: number): { heard: Heard[]; closed: number | undefined; streams: number } {
  const random = seededRandom(seed);
  const rig = openRig();
  const heard = Array.from({ length: 40 }, () => ask(rig));
  for (let said = 0; said < FRAMES && rig.closed === null;) {
    const frames = Array.from({ length: 1 + Math.floor(random() * 6) }, () => frameOf(random, heard.length));
    said += frames.length;
    rig.session.receiveBinary(damaged(random() < 0.5 && frames.length === 1 ? frames[0]! : encodeBundle(frames), random));
    for (const { stream, unreadBytes } of heard) if (random() < 0.1) stream.consumed(Math.min(unreadBytes, 1));
  }
  return { heard, closed: rig.closed?.code, streams: rig.session.streams };
}

describe('a node that says anything at all, in bundles or not', () => {
  it('throws nothing, ends each request at most once, and leaves none behind when it is cut off', () => {
    const closings = new Set<number | undefined>();
    for (let seed = 1; seed <= 60; seed++) {
      const { heard, closed, streams } = play(seed);
      closings.add(closed);
      expect(
        heard.map(({ afterEnd }) => afterEnd),
        `seed ${seed}`,
      ).toEqual(heard.map(() => 0));
      expect(streams).toBe(heard.filter(({ end }) => end === null).length);
      if (closed !== undefined) expect(streams).toBe(0);
    }
    expect(closings).toEqual(new Set([LINK_CLOSE.violation, undefined]));
  });
});
