/** The figures of docs/capacity.md: every cell is what the command prints. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CODEC_MEASUREMENTS } from '#schema/codec-quality';
import type { CapacityEstimate } from '#src/nodes/capacity/estimate';
import { ask } from '#test/src/nodes/capacity/ask';

const PAGE = readFileSync(path.resolve(import.meta.dirname, '../../../docs/capacity.md'), 'utf8');

/** Cells of the rows of a table, from its first heading to the empty line. */
function rowsBelow(mark: string): string[][] {
  const [, , ...rows] = PAGE.slice(PAGE.indexOf(mark)).split('\n\n')[1]?.split('\n') ?? [];
  return rows.map((row) => row.slice(2, -2).split(' | '));
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const three = (value: number): string => (value < 1 ? String(Number(value.toPrecision(3))) : value.toFixed(2));

function cells(answers: readonly CapacityEstimate[]): Record<'bytes' | 'tokens' | 'sequences' | 'alone' | 'full' | 'usd', string> {
  const join = (say: (answer: CapacityEstimate) => string): string => answers.map(say).join(' / ');
  const unlessEmpty = (say: (answer: CapacityEstimate) => string) => join((answer) => (answer.batches.length === 0 ? '–' : say(answer)));
  return {
    bytes: join(({ kvBytesPerToken }) => whole(kvBytesPerToken)),
    tokens: join(({ poolTokens }) => whole(poolTokens)),
    sequences: join(({ sequences }) => String(sequences)),
    alone: unlessEmpty(({ batches }) => whole(batches[0]?.outputTokensPerSecond ?? 0)),
    full: unlessEmpty(({ outputTokensPerSecond }) => whole(outputTokensPerSecond)),
    usd: unlessEmpty(({ usdPerMillionOutputTokens }) => three(usdPerMillionOutputTokens ?? 0)),
  };
}

describe('docs/capacity.md', () => {
  it.each([
    ['RTX 4090, 24 GB:', 'rtx-4090'],
    ['H100 SXM, 80 GB:', 'h100'],
  ])('says of both cards what the command says: %s', (mark, card) => {
    const rows = rowsBelow(mark);
    expect(rows).toHaveLength(6);
    for (const [title = '', ...found] of rows) {
      const [model = '', weights = ''] = title.replace(', two cards', '').split(' ');
      const gpu = title.includes('two cards') ? `${card}x2` : card;
      const { tokens, sequences, alone, full, usd } = cells(
        ['bf16', 'fp8', 'turboquant_4bit_nc'].map((kv) => ask({ model, gpu, weights, kv }, { contextTokens: 32_768 })),
      );
      expect(found, title).toEqual([tokens, sequences, alone, full, usd]);
    }
  });

  it('says of llama.cpp what the command says', () => {
    const rows = rowsBelow('- **llama.cpp**');
    expect(rows).toHaveLength(2);
    for (const [model = '', ...found] of rows) {
      const kinds = ['fp16', 'q8_0', 'q8_0/q4_0', 'q8_0/turbo4'];
      const { bytes, tokens, alone } = cells(kinds.map((kv) => ask({ model, gpu: 'rtx-4090', weights: 'q4_k_m', kv })));
      expect(found, model).toEqual([bytes, tokens, alone]);
    }
  });

  it.each([
    ['reasoning, Qwen3-30B-A3B-Thinking', 'Qwen3-30B-A3B-Thinking', 'reasoning, mean'],
    ['reasoning, MiniMax-M2.7', 'MiniMax-M2.7', 'reasoning, mean'],
    ['MRCR at 256k, Qwen3-30B-A3B', 'Qwen3-30B-A3B', 'MRCR at 256k'],
  ])('quotes the measurements that routing stands on: %s', (title, model, benchmark) => {
    const rows = CODEC_MEASUREMENTS.filter((row) => row.model === model && row.benchmark === benchmark);
    const found = PAGE.split('\n')
      .find((line) => line.startsWith(`| ${title} |`))
      ?.match(/(?<=\| )\d+\.\d(?= \|)/g);
    expect(found?.map(Number)).toEqual([rows[0]?.bf16, ...rows.map(({ score }) => score)]);
  });
});
