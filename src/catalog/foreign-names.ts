/** Names by which other routers offer more than a model, and what does the same here. */

const FEATURES: readonly { pattern: RegExp; instead: string }[] = [
  {
    pattern: /@preset\//,
    instead: "Presets are not kept here: name a stored policy in 'provider.policy', and send the rest with the request.",
  },
  { pattern: /:online$/, instead: 'The web is not searched here: pass on what you have found, or give the model a tool.' },
  { pattern: /:thinking$/, instead: "Ask for thinking with 'reasoning'." },
  { pattern: /:(?:extended|beta)$/, instead: 'Endpoints with enough context are found by the length of the request.' },
  { pattern: /:batch$/, instead: 'There are no batches here: send the requests one by one.' },
  { pattern: /^openrouter\//, instead: "No model is chosen for you here: name one in 'model', or several in 'models'." },
  { pattern: /^~/, instead: 'Name the model itself, or an alias of this deployment.' },
];

/** Says what to do instead of asking for a model that is a feature of another router; null for any other name. */
export function featureHint(name: string): string | null {
  return FEATURES.find(({ pattern }) => pattern.test(name))?.instead ?? null;
}
