/** Streams in OpenAI's Responses format: named events with numbers, the whole answer in the last one, no `[DONE]`. */
import type { AnswerLabels, Scribe, Settlement } from '#schema/skin';
import { failureOf, IN_PROGRESS, lastItemStatus, outcomeOf, type Outcome } from './outcome.ts';
import { createOutput } from './output.ts';
import { toResponseBody } from './response-body.ts';

/** Creates the writer of one stream. `model` labels answers that fail before any upstream has committed. */
export function createResponsesScribe(labels: Omit<AnswerLabels, 'provider'>, settings: object): Scribe {
  let served: Parameters<typeof toResponseBody>[0] = labels;
  let frames = '';
  let sequenceNumber = 0;
  let finishReason: string | null = null;
  let extra: Record<string, unknown> = {};
  const output = createOutput(labels.id, tell);

  function tell(type: string, fields: object): void {
    frames += `event: ${type}\ndata: {"type":"${type}","sequence_number":${sequenceNumber},${JSON.stringify(fields).slice(1)}\n\n`;
    sequenceNumber += 1;
  }

  function tellResponse(type: string, outcome: Outcome, settlement: Settlement | null): void {
    tell(type, { response: toResponseBody(served, settings, { outcome, output: output.items, settlement, extra }) });
  }

  function begin(): void {
    tellResponse('response.created', IN_PROGRESS, null);
    tellResponse('response.in_progress', IN_PROGRESS, null);
  }

  function taken(): string {
    const text = frames;
    frames = '';
    return text;
  }

  return {
    open(answering) {
      served = { ...labels, ...answering };
      begin();
      return taken();
    },
    write(chunk) {
      if (chunk.extra !== null) extra = { ...extra, ...chunk.extra };
      for (const choice of chunk.choices) {
        output.add(choice);
        if (choice.index === 0) finishReason ??= choice.finish_reason;
      }
      return taken();
    },
    finish(settlement) {
      const outcome = outcomeOf(finishReason);
      output.close(lastItemStatus(outcome));
      tellResponse(`response.${outcome.status}`, outcome, settlement);
      return taken();
    },
    fail(error, settlement) {
      if (sequenceNumber === 0) begin();
      output.abandon();
      tellResponse('response.failed', failureOf(error), settlement);
      return taken();
    },
  };
}
