/** Turns what the form says into the body of a chat request. */

/**
 * Builds a chat request. Knobs left at their default are left out, so that stored policies decide.
 * @param {{ model: string, prompt: string, stream: boolean, optimize: string, supplyOnly: string[], minTier: string }} wishes
 */
export function toChatBody({ model, prompt, stream, optimize, supplyOnly, minTier }) {
  const provider = {
    ...(optimize !== '' && { optimize }),
    ...(supplyOnly.length > 0 && { supply: { only: supplyOnly } }),
    ...(minTier !== '' && { privacy: { min_tier: minTier } }),
  };
  return {
    model,
    messages: [{ role: 'user', content: prompt }],
    stream,
    ...(Object.keys(provider).length > 0 && { provider }),
  };
}

/** Reads the route from the headers of an answer. Absent headers are null. */
export function readRoute(headers) {
  const read = (name) => headers.get(`x-headrace-${name}`);
  return {
    id: headers.get('x-generation-id'),
    endpoint: read('endpoint'),
    provider: read('provider'),
    supply: read('supply'),
    tier: read('tier'),
    policy: read('policy'),
    attempts: read('attempts'),
  };
}
