/** Models that are known without their `config.json`. */
import { DENSE } from './dense.ts';
import { MIXTURES } from './mixtures.ts';
import { QWEN } from './qwen.ts';
import { toKnown, type KnownModel } from './row.ts';

/** Every model of the table. */
export const KNOWN_MODELS: readonly KnownModel[] = [...QWEN, ...DENSE, ...MIXTURES].map(toKnown);
