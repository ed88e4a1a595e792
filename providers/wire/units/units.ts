import type { UnitCodec } from '#providers/provider';
import type { UnitOperation } from '#schema/skin';
import { embeddings } from './embeddings.ts';
import { images } from './images.ts';
import { rerank } from './rerank.ts';
import { speech } from './speech.ts';
import { transcriptions } from './transcriptions.ts';

const CODECS: Readonly<Record<UnitOperation, UnitCodec>> = { embeddings, rerank, images, speech, transcription: transcriptions };

/** Finds how an operation is said to upstreams. */
export function unitCodecOf(operation: UnitOperation): UnitCodec {
  return CODECS[operation];
}
