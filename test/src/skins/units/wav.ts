/** A recording of silence, for whoever transcribes it. */

export interface WavTerms {
  seconds: number;
  samplesPerSecond?: number;
  channels?: number;
  bitsPerSample?: number;
  /** 1 is PCM. */
  format?: number;
  /** What the header claims instead of the truth. */
  claimedBytesPerSecond?: number;
  claimedDataBytes?: number;
}

/** Writes a RIFF WAVE file with an odd chunk before the data, as recorders do. */
export function wavOf({
  seconds,
  samplesPerSecond = 8000,
  channels = 1,
  bitsPerSample = 16,
  format = 1,
  ...claimed
}: WavTerms): Uint8Array {
  const blockBytes = (channels * bitsPerSample) / 8;
  const dataBytes = Math.round(seconds * samplesPerSecond) * blockBytes;
  const note = chunk('note', new Uint8Array(3));
  const fmt = new DataView(new ArrayBuffer(16));
  fmt.setUint16(0, format, true);
  fmt.setUint16(2, channels, true);
  fmt.setUint32(4, samplesPerSecond, true);
  fmt.setUint32(8, claimed.claimedBytesPerSecond ?? samplesPerSecond * blockBytes, true);
  fmt.setUint16(12, blockBytes, true);
  fmt.setUint16(14, bitsPerSample, true);
  const data = chunk('data', new Uint8Array(dataBytes), claimed.claimedDataBytes);
  return joined([ascii('RIFF'), new Uint8Array(4), ascii('WAVE'), note, chunk('fmt ', new Uint8Array(fmt.buffer)), data]);
}

function chunk(tag: string, content: Uint8Array, claimedBytes = content.length): Uint8Array {
  const size = new DataView(new ArrayBuffer(4));
  size.setUint32(0, claimedBytes, true);
  return joined([ascii(tag), new Uint8Array(size.buffer), content, new Uint8Array(content.length % 2)]);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
