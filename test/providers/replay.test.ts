import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quirksOf, dialectOf } from '#providers/registry';
import type { WireId } from '#schema/catalog';
import { playStream, readFixture, rechunk, seededRandom, targetWith } from './answers.ts';

const STREAMS = readdirSync(join(import.meta.dirname, '../fixtures'), { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.sse'),
);

function wireIdOf(path: string): WireId {
  if (path.startsWith('anthropic/')) return 'anthropic-messages';
  return path.includes('/completion') ? 'openai-completions' : 'openai-chat';
}

describe('recorded streams', () => {
  it.each(STREAMS)('%s reads the same however its bytes are cut', (path) => {
    const bytes = readFixture(path);
    const target = targetWith({ quirks: quirksOf(path.split('/')[0] ?? '') });
    const play = (chunks: readonly Uint8Array[]) => playStream(dialectOf(wireIdOf(path)), target, chunks);
    const whole = play([bytes]);
    expect(whole.some(({ kind }) => kind === 'chunk' || kind === 'failure')).toBe(true);
    for (let seed = 1; seed <= 10; seed += 1) expect(play(rechunk(bytes, seededRandom(seed)))).toEqual(whole);
  });
});
