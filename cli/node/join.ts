/** `headrace node join`: looks at the engine, measures it, joins the router, serves. */
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError, Dismissed, EXIT, SilentExit } from '../command-error.ts';
import type { Output } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { createProgress } from '../progress.ts';
import { readDeclared } from './declared.ts';
import type { AskOptions } from './engines/answers.ts';
import { enrol, enrolAgain, type Return } from './enrol.ts';
import { checkStateDir, defaultStateDir, statusFileOf, type KeptNode } from './identity/key-file.ts';
import { resolveNode } from './identity/resolve-node.ts';
import { nameOfMachine, readSecret, readUpstream, type JoinOptions } from './join-options.ts';
import { lookAround, type Look } from './look-around.ts';
import { isPrivateWay, readRouterAddress, type RouterAddress } from './router-address.ts';
import { runNode, type RunningNode } from './run-node.ts';
import { createShow, type Show, type Talk } from './show.ts';
import { NOTE_EVERY_MS, readStatus, removeStatus, writeStatus, type LocalStatus } from './status-file.ts';
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
  if (!isPrivateWay(router.url)) output.note(`${router.url} is not encrypted: prompts and answers cross the network in the open`);
  // Measured for nothing is half a minute lost.
  if (!options.onceChecks) checkStateDir(stateDir);
  const look = await lookAround(options, engine, talk);
  if (options.onceChecks) return;

  const other = readStatus(statusFileOf(stateDir, router.url, node), Date.now());
  if (other !== null) output.note(`another process (${other.pid}) serves as ${node} on this machine: it gives way to this one`);
  const enrolled = kept === null ? await enrol({ options, router, stateDir, node, token, look, talk }) : { identity: kept, isBack: true };
  const { identity } = enrolled;
  const renew = (now: Look): Promise<void> => comeAgain({ options, router, look: now, kept: identity }, talk);
  if (enrolled.isBack) await renew(look);
  await serve(identity, { options, router, look, engine, renew, show: talk.show, statusFile: statusFileOf(stateDir, router.url, node) });
}

/** A router that does not answer now, or wants none of it, keeps what it knows: the node serves by that. */
async function comeAgain(back: Return, { output, show }: Talk): Promise<void> {
  try {
    const taken = await enrolAgain(back);
    if (taken !== null) show.taken('renewed', { node: back.kept.node }, taken);
  } catch (error) {
    const why = error instanceof CommandError ? error.message : 'it does not answer like a Headrace router';
    output.note(`the router keeps what it knows of this node: ${toPlainText(why)}`);
  }
}

interface Serving {
  options: JoinOptions;
  router: RouterAddress;
  look: Look;
  engine: AskOptions;
  /** Tells the router what is served now. Never rejects. */
  renew(look: Look): Promise<void>;
  show: Show;
  /** Where it says how it stands. */
  statusFile: string;
}

async function serve({ node, keys }: KeptNode, { options, router, look, engine, renew, show, statusFile }: Serving): Promise<void> {
  const running = runNode({
    router,
    node,
    keys,
    look,
    wishes: options.model ?? [],
    declared: readDeclared(options),
    engine,
    maxConcurrency: options.maxConcurrency ?? null,
    drainTimeoutMs: options.drainTimeout * 1_000,
    onServed: (now) => void renew(now),
    on(event) {
      show.event(event);
      if (event.type !== 'load') note();
    },
  });
  const startedAt = new Date().toISOString();
  // What the link says comes before there is a node to ask.
  const note = (): void => queueMicrotask(() => writeStatus(statusFile, toLocal(running, engine.url, startedAt)));
  const signals = listenForStop();
  const everyMs = process.stdout.isTTY === true ? STATUS_EVERY_MS.terminal : STATUS_EVERY_MS.elsewhere;
  const timer = setInterval(() => show.status(running.status()), everyMs);
  const noteTimer = setInterval(note, NOTE_EVERY_MS);
  note();
  try {
    await waitForEnd(running, signals, show);
  } finally {
    clearInterval(timer);
    clearInterval(noteTimer);
    if (readStatus(statusFile, Date.now())?.pid === process.pid) removeStatus(statusFile);
    signals.stopListening();
  }
}

function toLocal(running: RunningNode, upstream: string, startedAt: string): LocalStatus {
  const { found, served } = running.look();
  const { completionTokens, ...status } = running.status();
  return {
    pid: process.pid,
    started_at: startedAt,
    at: new Date().toISOString(),
    upstream,
    engine: { name: found.adapter.name, version: found.version },
    models: served.map(({ model }) => model),
    ...status,
    completion_tokens: completionTokens,
  };
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
