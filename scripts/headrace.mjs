#!/usr/bin/env node
/** The `headrace` command on any Node from 20: installs what is missing, then runs `cli/main.ts` on Node 24. */
import path from 'node:path';
import { ROOT, runFile } from './bootstrap.mjs';

const args = process.argv.slice(2);
await runFile(path.join(ROOT, 'cli/main.ts'), args, { ownGroup: args[0] === 'dev' });
