/** A benchmark as a command: flags in, a report out, everything stopped however it ends. */

export interface BenchCommand<Flags, Report> {
  name: string;
  help: string;
  /** Throws an error whose first line says what is wrong with the arguments. */
  parseFlags(argv: readonly string[]): Flags;
  run(flags: Flags): Promise<Report>;
  toTable(report: Report): string;
  isSound(report: Report): boolean;
  stopAll(): Promise<void>;
}

/** Writes a line of progress, where it is in nobody's way. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs a benchmark with the process's arguments and ends the process: 0 for a sound report, 1 for anything else. */
export async function runCommand<Flags extends { help: boolean; json: boolean }, Report>(
  command: BenchCommand<Flags, Report>,
): Promise<never> {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => void command.stopAll().finally(() => process.exit(code)));
  }
  process.exit(await codeOf(command));
}

async function codeOf<Flags extends { help: boolean; json: boolean }, Report>(command: BenchCommand<Flags, Report>): Promise<number> {
  let flags: Flags;
  try {
    flags = command.parseFlags(process.argv.slice(2));
  } catch (error) {
    tell(error instanceof Error ? (error.message.split('\n')[0] as string) : String(error));
    return 1;
  }
  if (flags.help) {
    process.stdout.write(command.help);
    return 0;
  }
  try {
    const report = await command.run(flags);
    process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : `${command.toTable(report)}\n`);
    return command.isSound(report) ? 0 : 1;
  } catch (error) {
    tell(`${command.name}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await command.stopAll();
  }
}
