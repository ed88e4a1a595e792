/** How long a test waits for what must come about: a limit for what never comes, far above what the slowest machine needs. */
export const PATIENCE = { timeout: 60_000, interval: 20 };
