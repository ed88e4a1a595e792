/** The seed of every random test: the same in each run. `SEED=…` looks for counterexamples elsewhere. */
export const SEED = Number(process.env['SEED'] ?? 20_261_122);
