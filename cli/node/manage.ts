/** `headrace node status`, `drain` and `leave`: what an operator asks of the router about a node of this machine. */
import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import type { nodeData, RegisteredEndpointBody } from '#schema/answers/operators';
import type { NodeLoad } from '#schema/node-service';
import { confirmLoss } from '../ask.ts';
import { RefusedError, type Client } from '../router/client.ts';
import { CommandError } from '../command-error.ts';
import type { Output, Style } from '../output.ts';
import { toPlainText } from '../plain-text.ts';
import { sayCount, sayInstant, sayShare } from '../quantities.ts';
import { formatTable, type Column } from '../table.ts';
import { defaultStateDir, forgetKeptNode, statusFileOf, type KeptNode } from './identity/key-file.ts';
import { resolveNode, resolveRouter } from './identity/resolve-node.ts';
import { readRouterAddress } from './router-address.ts';
import { signedClient } from './router.ts';
import { sayLoad } from './show.ts';
import { readStatus, type LocalStatus } from './status-file.ts';

export interface ManageOptions {
  /** Absent: the only one that nodes here have keys for. */
  router?: string;
  name?: string;
  stateDir?: string;
  insecure: boolean;
}

type Node = z.infer<typeof nodeData>['data'];

/** What there is to say of a node: by its router, and by itself where it runs on this machine. */
interface Told {
  /** Null where the router cannot be asked. */
  data: Node | null;
  /** Null where the node does not run here. */
  agent: LocalStatus | null;
}

/** Between two looks of `--watch`. */
const WATCH_MS = 2_000;
const CLEAR_SCREEN = '\u001B[2J\u001B[H';

/** Shows how a node and its endpoints stand; again and again where that is wanted, until Ctrl-C. Throws Unreachable after what the node says itself. */
export async function showNode({ watch, ...options }: ManageOptions & { watch: boolean }, output: Output): Promise<void> {
  do {
    const { told, failure } = await askAbout(options);
    if (watch && !output.isJson && process.stdout.isTTY === true) output.raw(CLEAR_SCREEN);
    output.answer(told, () => sayTold(told, output));
    if (failure !== null && !watch) throw failure;
    if (failure !== null) output.note(failure.message);
    if (watch) await pause(WATCH_MS);
  } while (watch);
}

async function askAbout(options: ManageOptions): Promise<{ told: Told; failure: CommandError | null }> {
  const { kept, client, stateDir } = open(options);
  const agent = readStatus(statusFileOf(stateDir, kept.router, kept.node), Date.now());
  try {
    const { data } = await client.get<{ data: Node }>(`/nodes/${kept.node}`);
    return { told: { data, agent }, failure: null };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { told: { data: null, agent }, failure: error };
  }
}

function sayTold({ data, agent }: Told, output: Output): string {
  return [sayAgent(agent), ...(data === null ? [] : [sayNode(data, output)])].join('\n');
}

function sayAgent(agent: LocalStatus | null): string {
  if (agent === null) return 'here: not running';
  const { pid, engine, upstream, models, linked, trouble, draining, load, served, completion_tokens: tokens } = agent;
  const stand = [linked ? 'linked' : 'not linked', ...(draining ? ['draining'] : []), trouble ?? sayLoad(load)].join(', ');
  const version = engine.version === null ? '' : ` ${engine.version}`;
  const lines = [
    `here: running since ${sayInstant(agent.started_at)} (process ${pid}), ${stand}; ${sayCount(served)} served, ${sayCount(tokens)} tokens`,
    `engine: ${engine.name}${version} at ${upstream}, serving ${models.join(', ')}`,
  ];
  return lines.map((line) => toPlainText(line)).join('\n');
}

function sayNode(node: Node, output: Output): string {
  const { endpoints, load, streams } = node;
  const lines = [
    `${toPlainText(node.id)}: ${sayLink(node)}`,
    ...(node.linked === true ? [`${sayLoad(load && toLoad(load))}; ${sayCount(streams ?? 0)} through the router`] : []),
    endpoints.length === 0 ? 'no endpoints' : formatTable(endpoints, ENDPOINT_COLUMNS, output),
  ];
  return lines.join('\n');
}

function sayLink({ linked, linked_at: since, draining, trouble }: Node): string {
  if (linked === null) return 'its link does not answer now';
  const drained = `${draining ? ', drained' : ''}${trouble ? `, ${toPlainText(trouble)}` : ''}`;
  return linked ? `linked since ${sayInstant(since)}${drained}` : `not linked${drained}`;
}

function toLoad({ running, waiting, kv_usage: kvUsage }: NonNullable<Node['load']>): NodeLoad {
  return { running, waiting, kvUsage };
}

const STYLES: Readonly<Record<string, Style>> = { active: 'green', probation: 'green', quarantined: 'red', retired: 'red' };

const ENDPOINT_COLUMNS: Column<RegisteredEndpointBody>[] = [
  { title: 'endpoint', shrinkTo: 12, cell: ({ id }) => id },
  { title: 'model', optional: 2, shrinkTo: 12, cell: ({ model }) => model },
  { title: 'state', cell: ({ state }) => ({ text: state, style: STYLES[state] ?? 'cyan' }) },
  { title: 'share', align: 'right', cell: ({ traffic_share: share }) => sayShare(share) },
  { title: 'price', optional: 3, cell: ({ price }) => price && sayPricePair(price) },
  { title: 'not charged', optional: 4, cell: ({ held_price: held }) => held && `${sayPricePair(held.price)} ${held.state}` },
  { title: 'reason', optional: 1, shrinkTo: 20, cell: ({ reason }) => reason },
];

function sayPricePair({ prompt, completion }: NonNullable<RegisteredEndpointBody['price']>): string {
  return `$${prompt}/$${completion}`;
}

/** Asks the router to send a node nothing new, or takes that back. */
export async function drainNode(options: ManageOptions & { off: boolean }, output: Output): Promise<void> {
  const { kept, client } = open(options);
  const answer = await client.post<unknown>(`/nodes/${kept.node}/drain`, { on: !options.off });
  output.answer(answer, () =>
    options.off
      ? `${kept.node} takes requests again as soon as the router has looked at it`
      : `${kept.node} gets nothing new; what is under way is finished (take it back with --off)`,
  );
}

/** Takes a node out of the router for good, and removes its key here. */
export async function leaveNode(options: ManageOptions & { yes: boolean }, output: Output): Promise<void> {
  const { kept, client, stateDir } = open(options);
  await confirmLoss(`Take ${kept.node} out of ${kept.router} for good?`, { yes: options.yes, isJson: output.isJson });
  const answer = await forgetAtRouter(client, kept);
  forgetKeptNode(stateDir, kept.router, kept.node);
  output.answer(answer, () => `${kept.node} has left; its key here is removed`);
}

/** A router that does not know the node, or no longer, has forgotten it already. */
async function forgetAtRouter(client: Client, { node }: KeptNode): Promise<unknown> {
  try {
    return await client.delete<unknown>(`/nodes/${node}`);
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) return { data: { id: node }, known: false };
    throw error;
  }
}

function open(options: ManageOptions): { kept: KeptNode; client: Client; stateDir: string } {
  const stateDir = options.stateDir ?? defaultStateDir();
  const router = readRouterAddress(options.router ?? resolveRouter(stateDir), options.insecure);
  const kept = resolveNode(stateDir, router.url, options.name);
  return { kept, client: signedClient(router.url, kept.node, kept.keys), stateDir };
}
