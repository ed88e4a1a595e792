import type { UnitCodec } from '#providers/provider';
import type { SpeechFormat } from '#schema/units/speech';
import { decodeJson } from './decode-units.ts';
import { encodeJson } from './encode-units.ts';

/** What OpenAI's formats are called on the wire. */
const MEDIA_TYPES: Readonly<Record<SpeechFormat, string>> = {
  mp3: 'audio/mpeg',
  opus: 'audio/ogg',
  aac: 'audio/aac',
  flac: 'audio/flac',
  wav: 'audio/wav',
  pcm: 'audio/pcm',
};

/** OpenAI's text to speech. Audio is named as such even where the upstream calls it bytes: clients look at the type. */
export const speech: UnitCodec = {
  encodeRequest: (asked, target) => encodeJson('/audio/speech', asked, target, '*/*'),
  binaryTypeOf(contentType, { fields }) {
    if (contentType.startsWith('audio/')) return contentType;
    const isBytes = contentType === '' || /^(application\/(octet-stream|ogg)|binary\/)/.test(contentType);
    return isBytes ? MEDIA_TYPES[(fields['response_format'] as SpeechFormat | undefined) ?? 'mp3'] : null;
  },
  decodeReply: (answer, target) => decodeJson(answer, target, () => 'JSON where audio was expected'),
};
