/** Types of the KV cache as llama-server's flags name them. Quantized ones are rotated before they are stored, since llama.cpp's pull request 21038. */
export const CACHE_TYPES = ['f16', 'bf16', 'f32', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0', 'iq4_nl'] as const;
export type CacheType = (typeof CACHE_TYPES)[number];

/** Finds the type of a name; undefined where there is none. */
export function toCacheType(name: string): CacheType | undefined {
  return CACHE_TYPES.find((type) => type === name);
}
