/** The `headrace` command as a process: signals, a reader that leaves, the exit code. */
import { EXIT } from './command-error.ts';
import { run } from './program.ts';

const argv = process.argv.slice(2);

// A command that has something to finish listens itself.
process.on('SIGINT', () => {
  if (process.listenerCount('SIGINT') === 1) process.exit(EXIT.interrupted);
});

// Whoever reads us has seen enough (`headrace audit | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.fine : EXIT.refused));
process.stderr.on('error', () => process.exit(EXIT.refused));

const exitCode = await run(argv);
// Pipes are written in the background on some systems.
await new Promise((resolve) => process.stdout.write('', resolve));
// Exits for good: an open handle left by a library must not keep a finished command alive.
process.exit(exitCode);
