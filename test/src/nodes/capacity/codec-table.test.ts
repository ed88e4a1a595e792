/** Bytes per token of known models under every codec that an engine offers, as computed from the engines' layouts. */
import { describe, expect, it } from 'vitest';
import { bytesPerSequence, bytesPerToken, type CacheSetting } from '#src/nodes/capacity/cache-bytes';
import { findModel } from '#src/nodes/capacity/find-model';
import { findCodec } from '#src/nodes/capacity/kv-codecs';

function settingOf(codec: string): CacheSetting {
  return { codec: findCodec(codec), tensorParallel: 1, blockTokens: 16, stateValueBytes: 4 };
}

const CODECS = [
  'bf16',
  'fp8',
  'turboquant_k8v4',
  'turboquant_4bit_nc',
  'turboquant_k3v4_nc',
  'turboquant_3bit_nc',
  'lmdeploy_42',
  'q8_0',
  'q4_0',
  'turbo4',
  'turbo3',
];

/** Null: not published for that model. */
const TABLE: [models: string[], ...bytes: (number | null)[]][] = [
  [['qwen2.5-7b'], 57344, 28672, 27008, 21056, 19520, 17984, 11424, 30464, 16128, 15232, 11200],
  [['qwen3-8b', 'qwen3-4b'], 147456, 73728, 66560, 50688, 46592, 42496, 29376, 78336, 41472, 39168, 28800],
  [['qwen3-14b', 'mistral-small-24b'], 163840, 81920, 72832, 54976, 50368, 45760, 32640, 87040, 46080, 43520, 32000],
  [['qwen2.5-14b'], 196608, 98304, 85376, 63552, 57920, 52288, 39168, 104448, 55296, 52224, 38400],
  [['qwen3-32b'], 262144, 131072, 110464, 80704, 73024, 65344, 52224, 139264, 73728, 69632, 51200],
  [['qwen3-30b-a3b'], 98304, 49152, 42688, 31776, 28960, 26144, 19584, 52224, 27648, 26112, 19200],
  [['llama-3.1-8b'], 131072, 65536, 60288, 46400, 42816, 39232, 26112, 69632, 36864, 34816, 25600],
  [['llama-3.3-70b', 'covenant-72b'], 327680, 163840, 135552, 97856, 88128, 78400, 65280, 174080, 92160, 87040, 64000],
  [['glm-4.5-air'], 188416, 94208, 82240, 61408, 56032, 50656, 37536, 100096, 52992, 50048, 36800],
  [['glm-4.5', 'glm-4.6', 'glm-4.7'], 376832, 188416, 154368, 110720, 99456, 88192, 75072, 200192, 105984, 100096, 73600],
  [['minimax-m2'], 253952, 126976, 107328, 78560, 71136, 63712, 50592, 134912, 71424, 67456, 49600],
  [['qwen3-next-80b-a3b'], 24576, 12288, 9312, 6288, null, 4752, null, 13056, 6912, 6528, null],
  [['qwen3.5-35b-a3b', 'qwen3.6-35b-a3b'], 20480, 10240, 7760, 5240, null, 3960, null, 10880, 5760, 5440, null],
  [['qwen3.5-27b', 'qwen3.8-27b'], 65536, 32768, 24832, 16768, null, 12672, null, 34816, 18432, 17408, null],
];

const CELLS = TABLE.flatMap(([models, ...bytes]) =>
  models.flatMap((model) => CODECS.map((codec, index) => ({ model, codec, bytes: bytes[index] ?? null }))),
).filter((cell): cell is { model: string; codec: string; bytes: number } => cell.bytes !== null);

describe('bytes per token', () => {
  it.each(CELLS)('$model keeps $bytes B a token in $codec', ({ model, codec, bytes }) => {
    expect(bytesPerToken(findModel(model), settingOf(codec))).toBe(bytes);
  });

  it.each([
    ['gpt-oss-20b', 24_576, 3_145_728],
    ['gpt-oss-120b', 36_864, 4_718_592],
    ['gemma-3-12b', 65_536, 335_544_320],
    ['gemma-3-27b', 81_920, 436_207_616],
    ['qwen3-next-80b-a3b', 24_576, 77_266_944],
  ])('%s grows by %d B a token beside %d B that every long sequence takes', (model, growing, constant) => {
    const shape = findModel(model);
    expect(bytesPerToken(shape, settingOf('bf16'))).toBe(growing);
    expect(bytesPerSequence(shape, 50_000, settingOf('bf16'))).toBe(growing * 50_000 + constant);
  });

  it.each([
    ['deepseek-v3', 'bf16', 70_272],
    ['deepseek-v3', 'fp8_ds_mla', 40_016],
    ['kimi-k2', 'bf16', 70_272],
    ['glm-4.7-flash', 'bf16', 54_144],
    ['glm-5', 'bf16', 89_856],
    ['glm-5', 'fp8', 44_928],
  ])('%s keeps one latent a layer: in %s %d B', (model, codec, bytes) => {
    expect(bytesPerToken(findModel(model), settingOf(codec))).toBe(bytes);
  });

  it.each([
    ['Llama-3.3-70B', [2.4, 3.35, 3.7, 4.2]],
    ['Qwen3-30B-A3B', [2.3, 3.1, 3.4, 3.7]],
  ] as const)('%s holds as many times more tokens as vLLM published, within 2 %%', (model, published) => {
    const shape = findModel(model);
    const plain = bytesPerToken(shape, settingOf('bf16'));
    const presets = ['turboquant_k8v4', 'turboquant_4bit_nc', 'turboquant_k3v4_nc', 'turboquant_3bit_nc'];
    for (const [index, preset] of presets.entries()) {
      const ratio = plain / bytesPerToken(shape, settingOf(preset)) / (published[index] ?? 0);
      expect(ratio, preset).toBeGreaterThan(0.98);
      expect(ratio, preset).toBeLessThan(1.02);
    }
  });
});
