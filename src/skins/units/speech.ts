import { countTokens } from '#schema/count-tokens';
import { readContract } from '#schema/read-contract';
import type { ClientUnit, UnitSize, UnitSkin } from '#schema/skin';
import { speechRequest, type SpeechRequest } from '#schema/units/speech';
import { toErrorBody } from '../error-body.ts';
import { unsupported } from './refuse.ts';
import { statedFields } from './stated-fields.ts';

/** Speaks OpenAI's text to speech. The audio is relayed as it comes; it is billed by the characters (code points) of the input. */
export const speech: UnitSkin = {
  api: 'speech',
  operation: 'speech',
  read(body): ClientUnit {
    const request = readContract(speechRequest, body);
    refuseUnsupported(request);
    return {
      request,
      body: { fields: statedFields({ ...request, stream_format: null, input_references: null }), file: null },
      size: sizeOf(request),
      // Speech is audio, and audio is relayed; nothing is left to write.
      writeAnswer: () => ({}),
    };
  },
  writeError: (error) => toErrorBody(error, 'input'),
};

function refuseUnsupported({ stream_format, input_references }: SpeechRequest): void {
  if (stream_format === 'sse') throw unsupported('stream_format', 'audio is streamed as bytes, not as events. Leave it out or say audio.');
  if ((input_references ?? []).length > 0) throw unsupported('input_references', 'voices cannot be cloned here. Name a voice.');
}

function sizeOf({ input }: SpeechRequest): UnitSize {
  const promptTokens = Math.ceil(countTokens(input));
  return { promptTokens, contextTokens: promptTokens, unitsMax: Array.from(input).length };
}
