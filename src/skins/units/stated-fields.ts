/** Takes the fields that say something, but for the model, which each endpoint names its own way. Null is how some clients say nothing. */
export function statedFields(request: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(request).filter(([field, value]) => field !== 'model' && value !== null && value !== undefined));
}
