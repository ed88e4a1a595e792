/** Suffixes of model names (`qwen/qwen3-8b:floor`) that ask for a way of routing. */
export const MODEL_SUFFIXES = ['floor', 'nitro', 'exacto', 'free', 'attested', 'selfhosted'] as const;
export type ModelSuffix = (typeof MODEL_SUFFIXES)[number];
