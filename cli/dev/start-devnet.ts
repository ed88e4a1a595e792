/** Starts the simulated supply beside the router, and points the manifest at it. */
import { DEFAULT_PORT, startDevnet, type Devnet } from '#devnet/devnet';

const DEFAULT_ORIGIN = `http://127.0.0.1:${DEFAULT_PORT}`;

/** Starts the devnet on its usual port, or on any free one when that is taken. */
export async function startLocalDevnet(log: (line: string) => void): Promise<Devnet> {
  try {
    return await startDevnet({ log });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return startDevnet({ port: 0, log });
  }
}

/** Rewrites the devnet's usual address in a manifest to where it runs now. */
export function pointAtDevnet(manifestText: string, origin: string): string {
  return manifestText.replaceAll(new RegExp(`${DEFAULT_ORIGIN.replaceAll('.', '\\.')}(?!\\d)`, 'g'), origin);
}
