import { fromBase64 } from '#schema/base64';
import { GatewayError } from '#schema/error';
import { readContract } from '#schema/read-contract';
import type { AnswerLabels, ClientUnit, Settlement, UnitSkin } from '#schema/skin';
import type { UnitFile, UnitReply } from '#schema/unit';
import { transcriptionForm, transcriptionJson, type TranscriptionForm, type TranscriptionJson } from '#schema/units/transcriptions';
import { toErrorBody } from '../error-body.ts';
import { metadataField } from '../usage-body.ts';
import { chargeFields } from './charge-fields.ts';
import { audioLength } from './audio-length.ts';
import { unsupported } from './refuse.ts';
import { statedFields } from './stated-fields.ts';

/** Media types whose name is not the format's own. */
const MEDIA_TYPES: Readonly<Record<string, string>> = { mp3: 'audio/mpeg', m4a: 'audio/mp4' };

/** Speaks OpenAI's transcriptions, and OpenRouter's with the audio in JSON. Billed by the second. */
export const transcriptions: UnitSkin = {
  api: 'transcriptions',
  operation: 'transcription',
  read(body): ClientUnit {
    return isJson(body) ? readJson(readContract(transcriptionJson, body)) : readForm(readContract(transcriptionForm, body));
  },
  writeError: (error) => toErrorBody(error, 'file'),
};

function isJson(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'input_audio' in body;
}

function readJson(request: TranscriptionJson): ClientUnit {
  const { data, format } = request.input_audio;
  const bytes = fromBase64(data);
  if (bytes === null || bytes.length === 0) {
    throw new GatewayError('invalid_request', "Invalid value for 'input_audio.data': expected base64.", { param: 'input_audio.data' });
  }
  const file = { field: 'file', name: `audio.${format}`, contentType: MEDIA_TYPES[format] ?? `audio/${format}`, bytes };
  return toClient(request, { ...request, input_audio: null }, file);
}

function readForm(request: TranscriptionForm): ClientUnit {
  return toClient(request, { ...request, file: null }, request.file);
}

function toClient(request: TranscriptionForm | TranscriptionJson, fields: Record<string, unknown>, file: UnitFile): ClientUnit {
  if (request.stream === true) throw unsupported('stream', 'transcriptions come whole. Leave it out.');
  const { maxS, expectedS } = audioLength(file.bytes);
  return {
    request,
    body: { fields: statedFields({ ...fields, stream: null }), file },
    size: { promptTokens: 0, contextTokens: 0, unitsMax: maxS, unitsExpected: expectedS },
    writeAnswer: toAnswer,
  };
}

function toAnswer(_: AnswerLabels, { json, text }: UnitReply, settlement: Settlement): object | string {
  return text ?? { ...json, usage: toUsage(settlement), ...metadataField(settlement) };
}

/** OpenAI knows two kinds of usage, told apart by `type`. */
function toUsage(settlement: Settlement): object {
  const { promptTokens, completionTokens, units } = settlement.usage;
  const charge = chargeFields(settlement);
  const seconds = units !== undefined && { seconds: units };
  if (promptTokens + completionTokens === 0) return { type: 'duration', ...seconds, ...charge };
  return {
    type: 'tokens',
    input_tokens: promptTokens,
    output_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...seconds,
    ...charge,
  };
}
