import { z } from 'zod';

const UNSERVED = 'this plugin is not run here: leave it out or set "enabled" to false';

/** What to use instead of the plugins that people ask for most. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['web', 'web search is not run here: offer the model a function tool that searches'],
  ['web-fetch', 'pages are not fetched here: offer the model a function tool that fetches'],
  ['response-healing', 'answers are not repaired here: ask for response_format "json_schema" with "strict"'],
  ['file-parser', 'files are read by the model alone: leave the plugin out or set pdf.engine to "native"'],
]);

interface PluginWish {
  id: string;
  enabled?: boolean | null | undefined;
  pdf?: { engine?: string | null | undefined } | null | undefined;
}

/**
 * Tells whether an answer is the same with and without the plugin. Compression acts only on prompts that fit nowhere, and those are
 * refused with `context_length_exceeded`; nothing is ever cut in silence.
 */
function isHarmless({ id, enabled, pdf }: PluginWish): boolean {
  if (enabled === false || id === 'context-compression') return true;
  return id === 'file-parser' && (pdf?.engine ?? 'native') === 'native';
}

/** One entry of OpenRouter's `plugins`. What would change the answer is refused, with what to use instead. */
export const plugin = z
  .looseObject({
    id: z.string().min(1).max(100),
    enabled: z.boolean().nullish(),
    pdf: z.looseObject({ engine: z.string().nullish() }).nullish(),
  })
  .refine(isHarmless, { error: (issue) => INSTEAD.get((issue.input as PluginWish).id) ?? UNSERVED });
