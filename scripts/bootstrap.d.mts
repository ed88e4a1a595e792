/** What TypeScript of the house imports from `bootstrap.mjs`, which must be plain JavaScript. */
export const NODE_FLAGS: string[];
