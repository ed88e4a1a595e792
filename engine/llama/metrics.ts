/** What the engine has done so far, under llama-server's names. Like llama-server it tells neither KV usage nor time to first token. */
import type { Timings, Usage } from './answer.ts';
import type { SlotCounts } from './slots.ts';

export interface Metrics {
  /** Counts an answer, whole or broken off. */
  count(usage: Usage, timings: Timings): void;
  /** Writes Prometheus text. */
  render(slots: SlotCounts): string;
}

/** Creates counters at zero. */
export function createMetrics(): Metrics {
  const total = { promptTokens: 0, promptMs: 0, completionTokens: 0, predictedMs: 0 };
  return {
    count({ promptTokens, completionTokens }, { promptMs, predictedMs }) {
      total.promptTokens += promptTokens;
      total.promptMs += promptMs;
      total.completionTokens += completionTokens;
      total.predictedMs += predictedMs;
    },
    render({ running, waiting }) {
      const rate = (tokens: number, durationMs: number): number => (durationMs > 0 ? (1000 * tokens) / durationMs : 0);
      const rows = [
        ['counter', 'prompt_tokens_total', 'Prompt tokens read.', total.promptTokens],
        ['counter', 'prompt_seconds_total', 'Time spent reading prompts.', total.promptMs / 1000],
        ['counter', 'tokens_predicted_total', 'Tokens generated.', total.completionTokens],
        ['counter', 'tokens_predicted_seconds_total', 'Time spent generating.', total.predictedMs / 1000],
        ['gauge', 'prompt_tokens_seconds', 'Prompt tokens per second.', rate(total.promptTokens, total.promptMs)],
        ['gauge', 'predicted_tokens_seconds', 'Generated tokens per second.', rate(total.completionTokens, total.predictedMs)],
        ['gauge', 'requests_processing', 'Requests in a slot.', running],
        ['gauge', 'requests_deferred', 'Requests that wait for a slot.', waiting],
      ] as const;
      return rows
        .map(([type, name, help, value]) => `# HELP llamacpp:${name} ${help}\n# TYPE llamacpp:${name} ${type}\nllamacpp:${name} ${value}\n`)
        .join('');
    },
  };
}
