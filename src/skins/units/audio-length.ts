/** How long an audio file plays: from its header where that can be trusted, else guessed from its size. */

/** Opus goes no lower (RFC 6716 §2.1.1), and nothing in common use is denser than Opus: 6 kbit/s. */
const LEAST_BYTES_PER_SECOND = 750;
/** Speech as people usually record it in compressed formats: 64 kbit/s. */
const USUAL_BYTES_PER_SECOND = 8000;

/** Where things stand in a RIFF WAVE file and its `fmt ` chunk. */
const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const FORMAT_BYTES = 16;
/** Integers, floats, and either with a channel map: one sample after the other, so that bytes are time. */
const PCM_FORMATS: ReadonlySet<number> = new Set([1, 3, 0xfffe]);

/** Seconds of audio: at most, and to bill where the upstream does not say. */
export interface AudioLength {
  maxS: number;
  expectedS: number;
}

/** Measures an audio file: uncompressed WAV by its header, anything else between what its size allows and what is usual. */
export function audioLength(bytes: Uint8Array): AudioLength {
  const wavS = wavLengthS(bytes);
  // Upstreams round up to whole seconds.
  if (wavS !== null) return { maxS: Math.ceil(wavS), expectedS: wavS };
  return { maxS: bytes.length / LEAST_BYTES_PER_SECOND, expectedS: bytes.length / USUAL_BYTES_PER_SECOND };
}

/** Null when it is no uncompressed WAV. A data chunk of size 0, or of more than there is, was streamed and ends with the file. */
function wavLengthS(bytes: Uint8Array): number | null {
  if (tagAt(bytes, 0) !== 'RIFF' || tagAt(bytes, 8) !== 'WAVE') return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let bytesPerSecond = 0;
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= bytes.length;) {
    const start = at + CHUNK_HEADER_BYTES;
    const size = view.getUint32(at + 4, true);
    const tag = tagAt(bytes, at);
    if (tag === 'fmt ' && start + FORMAT_BYTES <= bytes.length) bytesPerSecond = readBytesPerSecond(view, start);
    if (tag === 'data') return bytesPerSecond > 0 ? Math.min(size || Infinity, bytes.length - start) / bytesPerSecond : null;
    // Chunks are padded to even lengths.
    at = start + size + (size % 2);
  }
  return null;
}

/** The header's own byte rate is ignored by players, so it could say anything: what they play by is multiplied instead. */
function readBytesPerSecond(view: DataView, start: number): number {
  if (!PCM_FORMATS.has(view.getUint16(start, true))) return 0;
  const channels = view.getUint16(start + 2, true);
  const samplesPerSecond = view.getUint32(start + 4, true);
  const bitsPerSample = view.getUint16(start + 14, true);
  return channels * samplesPerSecond * Math.ceil(bitsPerSample / 8);
}

function tagAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
