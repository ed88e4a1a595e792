/** Replays recorded requests under another policy. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { surroundings } from '#src/house-facts';
import { CommandError, EXIT, SilentExit, Unreachable } from '../command-error.ts';
import { LOCAL_HOSTS } from '../local-hosts.ts';
import { checkManifest, readManifestFile } from '../manifest/read-manifest.ts';
import type { Client } from '../router/client.ts';
import type { Connection } from '../router/connection.ts';
import { readCatalogFeed } from './ground.ts';
import { openLines } from './lines.ts';
import { replayPages } from './pool.ts';
import { toReport, type ReplayReport } from './report.ts';
import { manifestScenario, readStoredPolicies, storedScenario, type Scenario } from './scenario.ts';
import { addOutcome, createTally } from './tally.ts';

export interface ReplayOrder {
  /** File of a manifest, or name of a stored policy. */
  policy: string;
  /** ISO 8601. */
  since: string;
  until: string;
  team: string | null;
  /** Where one line for each request goes; null: nowhere. */
  out: string | null;
}

export interface ReplayPorts {
  client: Client;
  connection: Connection;
  /** Called as requests are done; `total` is null while it is not known. */
  onProgress(done: number, total: number | null): void;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

/** One more fetches while the others plan; more would crowd out the router where that is local. */
const THREADS_MAX = 4;

/** Replays everything, or throws and leaves no report: CommandError for a bad file, name or answer, Unreachable, SilentExit when interrupted. */
export async function replay({ policy, since, until, team, out }: ReplayOrder, ports: ReplayPorts): Promise<ReplayReport> {
  const { client, connection, onProgress, signal } = ports;
  const { scenario, named } = await findScenario(policy, client);
  const catalogue = readCatalogFeed(await client.get('/catalog'));
  const tally = createTally();
  const lines = out === null ? null : openLines(out);
  const order = { connection, catalogue, scenario, query: { since, until, team }, isDetailed: lines !== null };
  const threads = Math.min(THREADS_MAX, Math.max(2, availableParallelism()));
  let done = 0;
  try {
    for await (const { outcomes, total } of replayPages(order, { threads, signal })) {
      for (const outcome of outcomes) addOutcome(tally, outcome);
      lines?.write(outcomes);
      done += outcomes.length;
      if (outcomes.length > 0) onProgress(done, total);
    }
    lines?.keep();
  } catch (failure) {
    if (signal.aborted) throw new SilentExit(EXIT.interrupted);
    if (failure instanceof Unreachable) throw new Unreachable(sayHalf(failure, done), failure.details);
    throw failure instanceof CommandError ? new CommandError(sayHalf(failure, done), failure.details) : failure;
  } finally {
    lines?.drop();
  }
  return toReport({ policy: named, since, until, team, catalogue: catalogue.version }, tally);
}

function sayHalf({ message }: CommandError, done: number): string {
  return done === 0 ? message : `${message} (after ${done} requests: there is no report)`;
}

async function findScenario(policy: string, client: Client): Promise<{ scenario: Scenario; named: ReplayReport['policy'] }> {
  const isFile = existsSync(policy) || /[/\\]|\.ya?ml$/.test(policy);
  if (!isFile) return { scenario: storedScenario(policy, readStoredPolicies(await client.get('/policies'))), named: { name: policy } };
  const manifest = checkManifest(readManifestFile(policy), policy, surroundings(true, LOCAL_HOSTS));
  return { scenario: manifestScenario(manifest), named: { file: policy } };
}
