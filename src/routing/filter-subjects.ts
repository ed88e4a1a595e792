/** What each hard filter looks at, in words for callers and operators. */
import type { HardFilter } from './filters.ts';

/** Names the subject of a filter, as refusals, warnings and the command line tell it. */
export const FILTER_SUBJECTS: Readonly<Record<HardFilter, string>> = {
  H1: 'privacy tier',
  H2: 'jurisdiction',
  H3: 'model variant (quantization, KV cache)',
  H4: 'capabilities',
  H5: 'context and output room',
  H6: 'price',
  H7: 'supply, allow and deny lists, verification, keys of this deployment',
};
