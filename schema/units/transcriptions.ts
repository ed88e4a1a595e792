/** The contract of `POST /audio/transcriptions`: OpenAI's form, or OpenRouter's JSON with the audio in base64. */
import { z } from 'zod';
import type { UnitFile } from '#schema/unit';
import { boundedList } from './bounded-list.ts';
import { routedFields } from './routed-fields.ts';

export const transcriptionFormat = z.enum(['json', 'verbose_json', 'diarized_json', 'text', 'srt', 'vtt']);
export type TranscriptionFormat = z.infer<typeof transcriptionFormat>;

const granularities = boundedList(z.enum(['word', 'segment']), 2);

const options = {
  language: z.string().max(40).nullish(),
  prompt: z.string().max(100_000).nullish(),
  response_format: transcriptionFormat.nullish(),
};

/** OpenRouter's JSON. `data` is base64 without a `data:` prefix. */
export const transcriptionJson = z
  .looseObject({
    ...routedFields,
    ...options,
    input_audio: z.looseObject({
      data: z.string().min(1),
      format: z.string().regex(/^[a-z0-9]{1,10}$/, 'expected a format such as wav or mp3'),
    }),
    temperature: z.number().min(0).max(1).nullish(),
    timestamp_granularities: granularities.nullish(),
    stream: z.boolean().nullish(),
  })
  .meta({ id: 'TranscriptionRequest' });
export type TranscriptionJson = z.infer<typeof transcriptionJson>;

/** A field of a form whose text is JSON, such as `provider`. */
function jsonText<Contract extends z.ZodType>(contract: Contract) {
  return z.preprocess(parseText, contract);
}

function parseText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function isFile(value: unknown): value is UnitFile {
  return typeof value === 'object' && value !== null && 'bytes' in value && value.bytes instanceof Uint8Array;
}

/** OpenAI's form, its fields as text. */
export const transcriptionForm = z
  .looseObject({
    ...routedFields,
    ...options,
    models: jsonText(routedFields.models),
    provider: jsonText(routedFields.provider),
    file: z
      .custom<UnitFile>(isFile, 'expected an audio file; send multipart/form-data, or input_audio in JSON')
      .meta({ type: 'string', format: 'binary' }),
    temperature: jsonText(z.number().min(0).max(1).nullish()),
    timestamp_granularities: granularities.nullish(),
    stream: jsonText(z.boolean().nullish()),
  })
  .meta({ id: 'TranscriptionForm' });
export type TranscriptionForm = z.infer<typeof transcriptionForm>;
