/** Anthropic's names of features under trial: `context-1m-2025-08-07,…`. Nothing else can hide in them. */
const BETAS = /^[a-z0-9-]+(?:, ?[a-z0-9-]+)*$/i;
const BETAS_CHARS_MAX = 1000;

/** Picks the header that says which trial features the body uses, under Anthropic's name or OpenRouter's. */
export function readBetas(headers: Headers): Readonly<Record<string, string>> {
  const betas = headers.get('anthropic-beta') ?? headers.get('x-anthropic-beta') ?? '';
  return betas.length <= BETAS_CHARS_MAX && BETAS.test(betas) ? { 'anthropic-beta': betas } : {};
}
