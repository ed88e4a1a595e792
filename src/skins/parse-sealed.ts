/** What is sealed escapes the bound on the depth of bodies. Details of reasoning are flat as a rule. */
const DEPTH_MAX = 32;

/** Parses JSON that clients carry for us inside a text; null where it is none, or deeper than anything of ours. */
export function parseSealed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isWithin(value, DEPTH_MAX) ? value : null;
  } catch {
    return null;
  }
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isWithin(inner, depth - 1));
}
