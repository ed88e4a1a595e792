import type { DialectTarget, UnitCodec } from '#providers/provider';
import { protocolFailure, toInnerFailure } from '#providers/wire/decode-error';
import { isJsonObject, parseJson, type JsonObject } from '#providers/wire/json-object';
import { readError } from '#providers/wire/read-error';
import type { TranscriptionFormat } from '#schema/units/transcriptions';
import { decodeJson, fieldOf, NOTHING_SAID, readTokens, readUnits, type Decoded } from './decode-units.ts';
import { encodeForm } from './encode-units.ts';

/** Formats that are answered as text. */
const AS_TEXT: ReadonlySet<unknown> = new Set<TranscriptionFormat>(['text', 'srt', 'vtt']);
/** Fields that clients know; vendors' own wrappers stay here. */
const KNOWN = ['text', 'task', 'language', 'languages', 'duration', 'segments', 'words', 'logprobs', 'confidence'];

/** OpenAI's transcriptions, always as a form. Seconds are what the upstream bills, else how long it says the audio is. */
export const transcriptions: UnitCodec = {
  encodeRequest: (asked, target) => encodeForm('/audio/transcriptions', asked, target, '*/*'),
  decodeReply: (answer, target, { fields }) => {
    const format = fields['response_format'];
    return AS_TEXT.has(format) ? decodeText(answer, format, target) : decodeJson(answer, target, readTranscript);
  },
};

function readTranscript(body: JsonObject): ReturnType<Parameters<typeof decodeJson>[2]> {
  if (typeof body['text'] !== 'string') return 'an answer without text';
  const known = KNOWN.filter((field) => body[field] !== undefined && body[field] !== null);
  return {
    json: Object.fromEntries(known.map((field) => [field, body[field]])),
    usage: readTokens(body['usage']),
    units: readUnits(fieldOf(body['usage'], 'seconds')) ?? readUnits(body['duration']),
  };
}

/** Reads plain text; some servers answer with JSON all the same, which will do for `text` alone. */
function decodeText(answer: string, format: unknown, target: DialectTarget): Decoded {
  const body = parseJson(answer);
  if (!isJsonObject(body)) return { reply: { ...NOTHING_SAID, text: answer } };
  const error = readError(body);
  if (error !== null) return { failure: toInnerFailure(error, target) };
  const { text } = body;
  if (format !== 'text' || typeof text !== 'string') return { failure: protocolFailure('JSON where text was expected') };
  return { reply: { ...NOTHING_SAID, text, units: readUnits(fieldOf(body['usage'], 'seconds')) ?? readUnits(body['duration']) } };
}
