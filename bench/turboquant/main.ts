/** `npm run bench:turboquant`: what the reference codec loses, beside the theory. */
import { writeFileSync } from 'node:fs';
import { runCommand, tell } from '#bench/command';
import { HELP, parseFlags, type TurboquantFlags } from './flags.ts';
import { toPlot } from './plot.ts';
import { isSound, toTable } from './report.ts';
import { study, type Study } from './study.ts';

await runCommand<TurboquantFlags, Study>({
  name: 'bench:turboquant',
  help: HELP,
  parseFlags,
  async run({ dimension, vectors, seed, svg }) {
    tell(`encoding ${vectors} vectors of ${dimension} values at 1 to 6 bits`);
    const result = study({ dimension, vectors, seed });
    if (svg !== null) writeFileSync(svg, toPlot(result));
    return result;
  },
  toTable,
  isSound,
  stopAll: async () => {},
});
