/** `headrace node join`: looks at the engine, measures it, joins the router, serves. */
import { setTimeout as pause } from 'node:timers/promises';
import { Dismissed, EXIT, SilentExit } from '../command-error.ts';
import type { Output } from '../output.ts';
import { createProgress } from '../progress.ts';
import type { AskOptions } from './engines/answers.ts';
import { enrol } from './enrol.ts';
import { defaultStateDir, type KeptNode } from './identity/key-file.ts';
import { resolveNode } from './identity/resolve-node.ts';
import { nameOfMachine, readSecret, readUpstream, type JoinOptions } from './join-options.ts';
import { lookAround, type Look } from './look-around.ts';
import { readRouterAddress, type RouterAddress } from './router-address.ts';
import { runNode, type RunningNode } from './run-node.ts';
import { createShow, type Show } from './show.ts';
import { listenForStop } from './stop-signals.ts';

/** What is asked of an engine while it is being recognised, and of its load. */
const ASK_TIMEOUT_MS = 3_000;
/** The status is shown this often, where it has changed. */
const STATUS_EVERY_MS = { terminal: 15_000, elsewhere: 60_000 };
/** How long the goodbye may take: the router should hear it from us. */
const CLOSING_MS = 100;

/** Runs a node until it is told to stop. Throws CommandError, UsageError before it serves; Dismissed where the router wants it no more. */
export async function join(options: JoinOptions, output: Output): Promise<void> {
  const router = readRouterAddress(options.router, options.insecure);
  const stateDir = options.stateDir ?? defaultStateDir();
  const token = readSecret('--token', options.token ?? process.env.HEADRACE_JOIN_TOKEN) ?? undefined;
  // Before anything is measured: without token or key there is nothing to join with.
  const kept = options.onceChecks || token !== undefined ? null : resolveNode(stateDir, router.url, options.name);
  const node = kept?.node ?? options.name ?? nameOfMachine();

  const step = createProgress(output.isJson ? output.note : output.say, () => performance.now());
  const talk = { output, step, show: createShow(output) };
  const engine: AskOptions = {
    url: readUpstream(options.upstream),
    key: readSecret('--upstream-key', options.upstreamKey ?? process.env.HEADRACE_UPSTREAM_KEY),
    fetch,
    timeoutMs: ASK_TIMEOUT_MS,
  };
  const look = await lookAround(options, engine, talk);
  if (options.onceChecks) return;

  const identity = kept ?? (await enrol({ options, router, stateDir, node, token, look, talk }));
  await serve(identity, { options, router, look, engine, show: talk.show });
}

interface Serving {
  options: JoinOptions;
  router: RouterAddress;
  look: Look;
  engine: AskOptions;
  show: Show;
}

async function serve({ node, keys }: KeptNode, { options, router, look, engine, show }: Serving): Promise<void> {
  const running = runNode({
    router,
    node,
    keys,
    description: look.description,
    engine,
    adapter: look.found.adapter,
    maxConcurrency: options.maxConcurrency ?? null,
    drainTimeoutMs: options.drainTimeout * 1_000,
    on: (event) => show.event(event),
  });
  const signals = listenForStop();
  const everyMs = process.stdout.isTTY === true ? STATUS_EVERY_MS.terminal : STATUS_EVERY_MS.elsewhere;
  const timer = setInterval(() => show.status(running.status()), everyMs);
  try {
    await waitForEnd(running, signals, show);
  } finally {
    clearInterval(timer);
    signals.stopListening();
  }
}

async function waitForEnd(running: RunningNode, { once, twice }: ReturnType<typeof listenForStop>, show: Show): Promise<void> {
  void once.then(() => running.drain());
  const isImpatient = await Promise.race([running.over.then(() => false), twice.then(() => true)]);
  if (isImpatient) running.leave();
  const { reason, cut } = await running.over;
  show.end(reason, cut, running.status());
  await pause(CLOSING_MS);
  if (reason !== null) throw new Dismissed(reason);
  if (isImpatient) throw new SilentExit(EXIT.interrupted);
}
