/** Secrets that a command is given. Never from its arguments: those stand in the shell's history and in the list of processes. */
import { text } from 'node:stream/consumers';
import { CommandError, UsageError } from './command-error.ts';

/** Reads a secret from a variable of the environment, or from stdin where none is named. Throws CommandError. */
export async function readSecret(variable: string | undefined): Promise<string> {
  if (variable !== undefined) {
    const value = process.env[variable]?.trim();
    if (value === undefined || value === '') throw new CommandError(`the variable ${variable} is not set`);
    return value;
  }
  if (process.stdin.isTTY) throw new UsageError('give the key with --key-env NAME, or on stdin: headrace byok add … < key.txt');
  const value = (await text(process.stdin)).trim();
  if (value === '') throw new CommandError('there is no key on stdin');
  return value;
}
