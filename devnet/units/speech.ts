/** Speech that says nothing: a tone as long as the text, or as much silence where MP3 is asked for. */
import { complain, readChoice, readNumber, readText, readUnitModel } from '../body.ts';
import { hashText } from '../random.ts';
import { SILENT_FRAME, SILENT_FRAME_SECONDS } from './mp3.ts';
import type { UnitParser } from './unit.ts';
import { SAMPLES_PER_SECOND, toWav } from './wav.ts';

const CHARACTERS_MAX = 4096;
const CHARACTERS_PER_SECOND = 15;
/** Longer texts are cut off here: nobody listens to a tone. */
const SECONDS_MAX = 5;
const CHARACTERS_PER_STEP = 4;
const LOUDNESS = 0.1;
const LOWEST_HERTZ = 220;

/** The formats that are spoken here, with their content types. */
const FORMATS = { mp3: 'audio/mpeg', wav: 'audio/wav', pcm: 'audio/pcm' } as const;

/** Serves `POST /v1/audio/speech`. */
export const speech: UnitParser = (fields, card) => {
  readUnitModel(fields, card, 'speech');
  const text = readText(fields, 'input', CHARACTERS_MAX);
  readText(fields, 'voice', 100);
  const format = readChoice(fields, 'response_format', ['mp3', 'wav', 'pcm'], 'mp3');
  const speed = readNumber(fields, 'speed', { min: 0.25, max: 4 }, 1);
  if (fields['stream_format'] === 'sse') complain('stream_format', "'stream_format' must be audio for this model.");
  const seconds = Math.min(text.length / CHARACTERS_PER_SECOND / speed, SECONDS_MAX);
  return {
    usage: { promptTokens: 0, units: Array.from(text).length },
    steps: Math.ceil(text.length / CHARACTERS_PER_STEP),
    render: () => {
      if (format === 'mp3') return { contentType: FORMATS.mp3, body: hush(seconds) };
      const tone = hum(seconds, LOWEST_HERTZ + (hashText(text) % LOWEST_HERTZ));
      return { contentType: FORMATS[format], body: format === 'wav' ? toWav(tone) : tone };
    },
  };
};

function hush(seconds: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(seconds / SILENT_FRAME_SECONDS) }, () => SILENT_FRAME));
}

/** Computes samples of a sine: 16 bits, little-endian, one channel. */
function hum(seconds: number, hertz: number): Buffer {
  const samples = Math.ceil(seconds * SAMPLES_PER_SECOND);
  const tone = Buffer.alloc(samples * 2);
  for (let at = 0; at < samples; at += 1) {
    tone.writeInt16LE(Math.round(Math.sin((2 * Math.PI * hertz * at) / SAMPLES_PER_SECOND) * LOUDNESS * 0x7fff), at * 2);
  }
  return tone;
}
