/** How a node joins its router for the first time: with a token, and with a key that it makes for itself. */
import type { JoinNode } from '#schema/registration';
import { RefusedError } from '../client.ts';
import { UsageError } from '../command-error.ts';
import { toPlainText } from '../plain-text.ts';
import { sayNumberOf } from '../quantities.ts';
import { forgetDraft, keepNewNode, readKeptNode, writeKeptNode, type KeptNode } from './identity/key-file.ts';
import { createKeyPair } from './identity/key-pair.ts';
import type { JoinOptions } from './join-options.ts';
import type { Look } from './look-around.ts';
import { joinRouter } from './router.ts';
import type { RouterAddress } from './router-address.ts';
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

/** Joins with the token. A token that is used up is no matter where this node has joined before: a service starts with the same line each time. */
export async function enrol({ options, router, stateDir, node, token, look, talk }: Enrolment): Promise<KeptNode> {
  if (token === undefined) throw new UsageError('name a token: --token');
  const newcomer: KeptNode = { node, router: router.url, keys: createKeyPair(), joinedAt: null };
  // First the key, then the token: an answer that is lost on its way must not cost the identity that it was for.
  const kept = readKeptNode(stateDir, router.url, node) ?? keepNewNode(stateDir, newcomer);
  try {
    const ids = await talk.step(
      'joined',
      () => joinRouter(router.url, token, toBody(options, node, kept.keys.publicKey, look)),
      (endpoints) => `${router.host} as ${node}, ${sayNumberOf(endpoints.length, 'endpoint')}: ${toPlainText(endpoints.join(', '))}`,
    );
    const joined = { ...kept, joinedAt: new Date().toISOString() };
    writeKeptNode(stateDir, joined);
    talk.show.fact('joined', { node, router: router.url, endpoints: ids });
    return joined;
  } catch (error) {
    // A refused newcomer has no use for its key; one that heard nothing may have joined all the same.
    if (kept === newcomer && error instanceof RefusedError) forgetDraft(stateDir, newcomer);
    const isUsedUp = error instanceof RefusedError && (error.status === 401 || error.status === 409);
    if (!isUsedUp || kept === newcomer) throw error;
    talk.output.note(
      `the token is used up (${toPlainText(error.message)}); going on with this node's own key, and with its name and price as they are`,
    );
    return kept;
  }
}

function toBody(options: JoinOptions, node: string, publicKey: string, { served, description }: Look): JoinNode {
  const { price, team, maxConcurrency, jurisdiction } = options;
  return {
    node,
    public_key: publicKey,
    ...(team !== undefined && { team }),
    models: served.map(({ model, facts }) => ({ upstream_model: facts.upstreamModel, model, ...(price !== undefined && { price }) })),
    ...(maxConcurrency !== undefined && { max_concurrency: maxConcurrency }),
    ...(jurisdiction !== undefined && { jurisdiction }),
    description,
  };
}
