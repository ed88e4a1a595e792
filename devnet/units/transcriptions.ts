/** Transcripts that only say how long the audio was, in each format that Whisper's API knows. */
import { complain, readChoice, readUnitModel } from '../body.ts';
import type { Payload } from '../deliver.ts';
import { toJsonPayload, type UnitLabel, type UnitParser, type UnitUsage } from './unit.ts';
import { wavSeconds } from './wav.ts';

/** What other files than WAV are taken for: 128 kbit/s. */
const BYTES_PER_SECOND = 16_000;
const STEPS_PER_SECOND = 2;
const FORMATS = ['json', 'text', 'srt', 'verbose_json', 'vtt'] as const;

interface Transcript {
  format: (typeof FORMATS)[number];
  language: string;
  seconds: number;
  /** Whether `verbose_json` lists words beside segments. */
  wantsWords: boolean;
}

/** Serves `POST /v1/audio/transcriptions`. */
export const transcriptions: UnitParser = (fields, card) => {
  readUnitModel(fields, card, 'transcription');
  const file = fields['file'];
  if (!(file instanceof Uint8Array) || file.length === 0) complain('file', "'file' must be an audio file.");
  const format = readChoice(fields, 'response_format', FORMATS, 'json');
  if (fields['stream'] === 'true') complain('stream', "'stream' is not supported by this model.");
  const seconds = wavSeconds(file) ?? file.length / BYTES_PER_SECOND;
  const granularities = fields['timestamp_granularities'];
  const transcript: Transcript = {
    format,
    language: typeof fields['language'] === 'string' ? fields['language'] : 'english',
    seconds: Math.round(seconds * 100) / 100,
    wantsWords: Array.isArray(granularities) && granularities.includes('word'),
  };
  return {
    usage: { promptTokens: 0, units: Math.ceil(seconds) },
    steps: Math.ceil(seconds * STEPS_PER_SECOND),
    render: (label, usage) => render(transcript, label, usage),
  };
};

function render({ format, language, seconds, wantsWords }: Transcript, label: UnitLabel, usage: UnitUsage | null): Payload {
  const text = `[simulated by ${label.endpointId}] Simulated transcript of ${seconds} seconds.`;
  const span = (point: string): string => `${toClock(0, point)} --> ${toClock(seconds, point)}`;
  const bill = usage === null ? {} : { usage: { type: 'duration', seconds: usage.units } };
  switch (format) {
    case 'text':
      return toText(`${text}\n`);
    case 'srt':
      return toText(`1\n${span(',')}\n${text}\n\n`);
    case 'vtt':
      return toText(`WEBVTT\n\n${span('.')}\n${text}\n\n`);
    case 'json':
      return toJsonPayload(label, { text, ...bill });
    case 'verbose_json': {
      const segments = [
        {
          id: 0,
          seek: 0,
          start: 0,
          end: seconds,
          text,
          tokens: [],
          temperature: 0,
          avg_logprob: 0,
          compression_ratio: 1,
          no_speech_prob: 0,
        },
      ];
      const words = wantsWords ? { words: toTimedWords(text, seconds) } : {};
      return toJsonPayload(label, { task: 'transcribe', language, duration: seconds, text, segments, ...words, ...bill });
    }
  }
}

function toText(body: string): Payload {
  return { contentType: 'text/plain; charset=utf-8', body };
}

/** Spreads the words evenly over the time. */
function toTimedWords(text: string, seconds: number): { word: string; start: number; end: number }[] {
  const words = text.split(' ');
  const at = (index: number): number => Math.round((seconds * index * 100) / words.length) / 100;
  return words.map((word, index) => ({ word, start: at(index), end: at(index + 1) }));
}

/** Writes seconds as `00:00:01,500`, or with another decimal point. */
function toClock(seconds: number, point: string): string {
  return new Date(Math.round(seconds * 1000)).toISOString().slice(11, 23).replace('.', point);
}
