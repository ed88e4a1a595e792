/** Streams of OpenAI's chunk form: one chunk an event, the usage in a last chunk without choices, `[DONE]`. */
import type { ChatChoice } from '#schema/chat';
import type { GatewayError } from '#schema/error';
import type { ReplyChunk } from '#schema/reply';
import type { AnswerLabels, Scribe, Settlement } from '#schema/skin';
import { metadataField, toUsageBody } from './usage-body.ts';

/** In which two APIs of this form differ. */
export interface ChunkWords {
  /** What a chunk calls itself. */
  object: string;
  /** Writes choices as JSON. */
  choicesOf(choices: readonly ChatChoice[]): string;
}

const DONE = 'data: [DONE]\n\n';

/** Creates the writer of one stream. Ids and model never change in a stream (T8). */
export function createChunkScribe({ object, choicesOf }: ChunkWords, labels: Pick<AnswerLabels, 'id' | 'createdAtS'>): Scribe {
  const { id, createdAtS } = labels;
  /** The opening of every chunk, ready to be followed by `"choices":…}`. */
  let head = headOf('', '');

  function headOf(model: string, provider: string): string {
    return `{"id":${JSON.stringify(id)},"object":"${object}","created":${createdAtS},"model":${JSON.stringify(model)},"provider":${JSON.stringify(provider)},`;
  }

  /** Some servers end without a reason; clients wait for one. */
  function closing(openChoices: readonly number[]): string {
    if (openChoices.length === 0) return '';
    return `data: ${head}"choices":${choicesOf(openChoices.map((index) => ({ index, delta: {}, finish_reason: 'stop' })))}}\n\n`;
  }

  return {
    open({ model, provider }) {
      head = headOf(model, provider);
      return '';
    },
    write(chunk) {
      return chunk.choices.length === 0 ? '' : `data: ${head}${extraOf(chunk)}"choices":${choicesOf(chunk.choices)}}\n\n`;
    },
    finish(settlement, openChoices) {
      return `${closing(openChoices)}data: ${head}"choices":[],${lastWords(settlement)}\n\n${DONE}`;
    },
    fail(error) {
      const choices = choicesOf([{ index: 0, delta: { content: '' }, finish_reason: 'error' }]);
      return `data: ${head}${errorPair(error)},"choices":${choices}}\n\n`;
    },
  };
}

/** Usage and what goes with it, closing the chunk. */
function lastWords(settlement: Settlement): string {
  return JSON.stringify({ usage: toUsageBody(settlement), ...metadataField(settlement) }).slice(1);
}

function errorPair(error: GatewayError): string {
  return JSON.stringify(error.toBody()).slice(1, -1);
}

/** Top-level fields of the upstream worth keeping, as `"name":value,` pairs. */
function extraOf({ extra }: ReplyChunk): string {
  if (extra === null) return '';
  let pairs = '';
  for (const name in extra) {
    const json = JSON.stringify(extra[name]);
    if (json !== undefined && json !== 'null') pairs += `${JSON.stringify(name)}:${json},`;
  }
  return pairs;
}
