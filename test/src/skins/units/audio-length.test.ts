import { describe, expect, it } from 'vitest';
import { audioLength } from '#src/skins/units/audio-length';
import { wavOf } from './wav.ts';

describe('audio length', () => {
  it.each([
    ['speech', { seconds: 2.5 }, 2.5],
    ['stereo music in 24 bits', { seconds: 1, samplesPerSecond: 48_000, channels: 2, bitsPerSample: 24 }, 1],
    ['floats', { seconds: 1.5, bitsPerSample: 32, format: 3 }, 1.5],
    ['a stream recorded without a length', { seconds: 2, claimedDataBytes: 0 }, 2],
    ['a stream recorded with the largest length', { seconds: 2, claimedDataBytes: 0xffff_ffff }, 2],
    ['a byte rate that lies to pay less', { seconds: 60, claimedBytesPerSecond: 6_000_000 }, 60],
  ])('is exact for %s', (_, terms, seconds) => {
    expect(audioLength(wavOf(terms))).toEqual({ maxS: Math.ceil(seconds), expectedS: seconds });
  });

  it.each([
    ['compressed WAV', wavOf({ seconds: 1, format: 0x55 })],
    ['WAV without a sample rate', wavOf({ seconds: 1, samplesPerSecond: 0, claimedDataBytes: 10 })],
    ['WAV that ends in its header', wavOf({ seconds: 1 }).subarray(0, 40)],
    ['anything else', new Uint8Array(16_000)],
    ['a single byte', new Uint8Array(1)],
  ])('of %s lies between what is usual and what its size allows', (_, bytes) => {
    expect(audioLength(bytes)).toEqual({ maxS: bytes.length / 750, expectedS: bytes.length / 8000 });
  });
});
