/** How a node joins its router: the first time with a token and a key that it makes for itself, and again with that key. */
import { z } from 'zod';
import type { JoinNode } from '#schema/registration';
import { RefusedError } from '../router/client.ts';
import { UsageError } from '../command-error.ts';
import { toPlainText } from '../plain-text.ts';
import { sayNumberOf } from '../quantities.ts';
import { forgetDraft, keepNewNode, readKeptNode, writeKeptNode, type KeptNode } from './identity/key-file.ts';
import { createKeyPair } from './identity/key-pair.ts';
import { priceOf, type JoinOptions } from './join-options.ts';
import type { Look } from './look-around.ts';
import { joinRouter, readJoined, signedClient, type Joined } from './router.ts';
import type { RouterAddress } from './router-address.ts';
import type { ServedModel } from './served-models.ts';
import type { Talk } from './show.ts';

export interface Enrolment {
  options: JoinOptions;
  router: RouterAddress;
  stateDir: string;
  node: string;
  token: string | undefined;
  look: Look;
  talk: Talk;
}

/**
 * Joins with the token. A token that is used up is no matter where this node has joined before: a service starts with the same line each time.
 * `isBack`: so it was, and nothing of what the node brings has reached the router.
 */
export async function enrol({
  options,
  router,
  stateDir,
  node,
  token,
  look,
  talk,
}: Enrolment): Promise<{ identity: KeptNode; isBack: boolean }> {
  if (token === undefined) throw new UsageError('name a token: --token');
  const newcomer: KeptNode = { node, router: router.url, keys: createKeyPair(), joinedAt: null };
  // First the key, then the token: an answer that is lost on its way must not cost the identity that it was for.
  const kept = readKeptNode(stateDir, router.url, node) ?? keepNewNode(stateDir, newcomer);
  try {
    const taken = await talk.step(
      'joined',
      () => joinRouter(router.url, token, toBody(options, node, kept.keys.publicKey, look)),
      ({ endpoints }) => `${router.host} as ${node}, ${sayNumberOf(endpoints.length, 'endpoint')}: ${toPlainText(endpoints.join(', '))}`,
    );
    const joined = { ...kept, joinedAt: new Date().toISOString() };
    writeKeptNode(stateDir, joined);
    talk.show.taken('joined', { node, router: router.url }, taken);
    return { identity: joined, isBack: false };
  } catch (error) {
    // A refused newcomer has no use for its key; one that heard nothing may have joined all the same.
    if (kept === newcomer && error instanceof RefusedError) forgetDraft(stateDir, newcomer);
    const isUsedUp = error instanceof RefusedError && (error.status === 401 || error.status === 409);
    if (!isUsedUp || kept === newcomer) throw error;
    talk.output.note(`the token is used up (${toPlainText(error.message)}); going on with this node's own key`);
    return { identity: kept, isBack: true };
  }
}

/** What a node that has its key here brings. */
export type Return = Pick<Enrolment, 'options' | 'router' | 'look'> & { kept: KeptNode };

/** What of a node counts when it comes again: the endpoints that stand on it. */
const known = z.object({
  data: z.object({
    operator: z.string(),
    endpoints: z.array(z.object({ upstream_model: z.string(), model: z.string(), state: z.string() })),
  }),
});

/**
 * Tells the router what this node serves now, and at which price where the command names one, signed with the node's own key. What is not named
 * stays as it is there. Null for a node of the manifest, whose terms stand there. Throws RefusedError, Unreachable.
 */
export async function enrolAgain({ options, router, look, kept }: Return): Promise<Joined | null> {
  const client = signedClient(router.url, kept.node, kept.keys);
  const { data } = known.parse(await client.get<unknown>(`/nodes/${kept.node}`));
  if (data.operator.startsWith('manifest:')) return null;
  const names = new Map(data.endpoints.map(({ upstream_model: upstream, model }) => [upstream, model]));
  const hasOwnName = (upstream: string): boolean =>
    options.model?.some((wish) => wish.upstream === upstream && wish.served !== null) === true;
  // Callers know a model by the name that it was given when it came.
  const served = look.served.map((one) => ({
    ...one,
    model: hasOwnName(one.facts.upstreamModel) ? one.model : (names.get(one.facts.upstreamModel) ?? one.model),
  }));
  return readJoined(
    router.url,
    await client.post<unknown>('/nodes/join', toBody(options, kept.node, kept.keys.publicKey, { ...look, served })),
  );
}

function toBody(
  options: JoinOptions,
  node: string,
  publicKey: string,
  { served, description }: Pick<Look, 'served' | 'description'>,
): JoinNode {
  const { team, maxConcurrency, jurisdiction } = options;
  return {
    node,
    public_key: publicKey,
    ...(team !== undefined && { team }),
    models: served.map((one) => toModelBody(one, options)),
    ...(maxConcurrency !== undefined && { max_concurrency: maxConcurrency }),
    ...(jurisdiction !== undefined && { jurisdiction }),
    description,
  };
}

/** A model as the router registers it; without a price of its own where none was named. */
function toModelBody(one: ServedModel, { price: prices }: JoinOptions): JoinNode['models'][number] {
  const price = priceOf(prices, one);
  return { upstream_model: one.facts.upstreamModel, model: one.model, ...(price !== undefined && { price }) };
}
