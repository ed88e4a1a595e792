/** Runs before each file of unit tests: a property that names no seed tries the same examples in each run. */
import fc from 'fast-check';
import { SEED } from './seed.ts';

fc.configureGlobal({ seed: SEED });
