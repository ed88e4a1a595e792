import type { Quirks } from '#providers/provider';

/** Renames, drops and adds request fields as the card says; changes `body` and returns it. */
export function applyFieldQuirks(body: Record<string, unknown>, quirks: Quirks): Record<string, unknown> {
  for (const [ours, theirs] of Object.entries(quirks.renameRequestFields ?? {})) {
    if (body[ours] === undefined) continue;
    body[theirs] = body[ours];
    delete body[ours];
  }
  for (const field of quirks.dropRequestFields ?? []) delete body[field];
  return Object.assign(body, quirks.addRequestFields);
}
