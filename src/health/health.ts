/**
 * What this isolate knows of the endpoints: written by dispatch as attempts go, shared with other isolates over the boards, read by
 * routing as a view. A cache in the memory of one isolate; losing it costs estimates, never correctness.
 */
import type { Offer } from '#schema/catalog';
import { digest } from '#schema/digest';
import type { EndpointHealth, HealthView } from '#schema/health';
import type { Timers } from '#schema/timers';
import { adopt, type Memory } from './adopt.ts';
import { createBoardClient } from './board-client.ts';
import { createBoardLink, type BoardLink } from './board-link.ts';
import { boardNameOf, LOCAL_REGION } from './board-name.ts';
import type { BoardPort } from './board-port.ts';
import { createBoundedMap } from './bounded-map.ts';
import { createConversations } from './conversations.ts';
import { createCredentials } from './credentials.ts';
import { createEndpointState, updateTerms, type EndpointTerms } from './endpoint.ts';
import { openFlight, type Flight, type FlightFacts } from './flight.ts';
import { createKnownEndpoint, type KnownEndpoint } from './known-endpoint.ts';
import { createOperatorRecord, pooled, type OperatorRecord } from './operators.ts';
import { acquire } from './probes.ts';
import { lastReading, readEndpoint, readForTenant, readUnseen } from './reading.ts';
import { findTenant } from './tenant-circuits.ts';

export type { Flight, FlightEnd, FlightFacts } from './flight.ts';

const ENDPOINTS_MAX = 20_000;
const OPERATORS_MAX = 20_000;

/** The health of everything this isolate calls. */
export interface Health {
  /** Counts an attempt as in flight until its `end`. `cachedTokens` of the prompt are expected in the endpoint's cache. */
  begin(offer: Offer, facts: FlightFacts, cachedTokens?: number): Flight;
  /** Asks for leave to try an endpoint: true while its breaker is closed for this tenant, else true for one probe at a time. */
  tryAcquireProbe(endpointId: string, teamId: string): boolean;
  /** Opens the read side at one instant, for one tenant. */
  view(nowMs: number, teamId: string): HealthView;
  /**
   * Exchanges what this isolate has learned with the boards, once that is due. Returns the work, to be kept alive by the request that
   * asked; null when nothing is to be done or another request is already at it. Never rejects, and no request waits for it.
   */
  sync(): Promise<void> | null;
}

/** What health stands on. Without `board` everything that is learned stays in this isolate. */
export interface HealthPorts {
  /** Epoch milliseconds; may jump. */
  now(): number;
  /** Uniform in [0, 1); spreads delays. */
  random?(): number;
  timers?: Timers;
  /** How long news for the boards may wait that is neither urgent nor much; 2 s unless stated. */
  exchangeIntervalMs?: number;
  /** A board by name, asked anew for every call. */
  board?(name: string): BoardPort;
  /** The region of this isolate; asked once it serves, because only a request tells. */
  region?(): string;
  newId?(): string;
  /** Takes one line when a board begins to fail and one when it is back. */
  log?(event: Record<string, unknown>): void;
}

/** Creates an empty memory. */
export function createHealth(ports: HealthPorts): Health {
  const { now, random = Math.random, board, newId = () => crypto.randomUUID() } = ports;
  const isolateId = newId();
  const endpoints = createBoundedMap<string, KnownEndpoint>(ENDPOINTS_MAX);
  const operators = createBoundedMap<string, OperatorRecord>(OPERATORS_MAX);
  const links = new Map<string, BoardLink<KnownEndpoint>>();
  const credentials = createCredentials();
  const conversations = createConversations();

  const operatorOf = (operatorId: string): OperatorRecord => operators.touch(operatorId, createOperatorRecord);
  const memory: Memory = {
    isolateId,
    operatorOf,
    knownOf(shared, link) {
      const known =
        endpoints.peek(shared.endpointId) ?? endpoints.touch(shared.endpointId, () => newEndpoint(shared.endpointId, shared, link));
      return known.link === link ? known : null;
    },
  };
  const client =
    board === undefined
      ? null
      : createBoardClient({
          now,
          ...(ports.timers && { timers: ports.timers }),
          ...(ports.exchangeIntervalMs !== undefined && { exchangeIntervalMs: ports.exchangeIntervalMs }),
          board,
          isolateId,
          ...(ports.log && { log: ports.log }),
          links: () => links.values(),
          adopt: (link, answer, sent) => adopt(memory, link, { answer, sent, at: { nowMs: now(), random } }),
        });

  function newEndpoint(
    endpointId: string,
    { operatorId, isAnonymous, declaredSlots }: EndpointTerms,
    link: BoardLink<KnownEndpoint>,
  ): KnownEndpoint {
    const state = createEndpointState({ operatorId, isAnonymous, declaredSlots }, now());
    return createKnownEndpoint(endpointId, state, operatorOf(operatorId), link);
  }

  /** The link to the board of a model; without boards one stands for all. */
  function linkOf(modelId: string): BoardLink<KnownEndpoint> {
    const name = client === null ? '' : boardNameOf(ports.region?.() ?? LOCAL_REGION, modelId);
    const known = links.get(name);
    if (known !== undefined) return known;
    const link = createBoardLink<KnownEndpoint>(name, client !== null);
    links.set(name, link);
    return link;
  }

  function begin(offer: Offer, facts: FlightFacts, cachedTokens = 0): Flight {
    const { endpointId } = offer;
    const { affinity } = facts;
    const terms = termsOf(offer);
    const known = endpoints.touch(endpointId, () => newEndpoint(endpointId, terms, linkOf(offer.modelId)));
    updateTerms(known.state, terms);
    known.operator = operatorOf(offer.operatorId);
    return openFlight(known, {
      isolateId,
      tenant: digest([facts.teamId]),
      facts,
      cachedTokens,
      credential: facts.ownCredential ?? credentialOf(endpointId, offer.keySecret),
      credentials,
      now,
      random,
      onCompleted: () => affinity && conversations.served(affinity.key, endpointId, now()),
    });
  }

  function view(nowMs: number, teamId: string): HealthView {
    let tenant: string | null = null;
    return {
      lastServed: (conversation) => conversations.last(conversation, nowMs),
      read(endpointId, operatorId, credentialName) {
        const credential = credentialOf(endpointId, credentialName);
        const credentialDisabled = credentials.isDisabled(credential, nowMs);
        const benchedUntilMs = credentials.benchedUntilMs(credential, nowMs);
        const health = readShared(endpointId, operatorId, credentialDisabled);
        if (benchedUntilMs === 0) return health;
        const shared = health ?? readUnseen(null, credentialDisabled);
        return { ...shared, backoffUntilMs: Math.max(shared.backoffUntilMs, benchedUntilMs) };
      },
    };

    function readShared(endpointId: string, operatorId: string, credentialDisabled: boolean): EndpointHealth | undefined {
      const known = endpoints.peek(endpointId);
      if (known === undefined) return unseen(operatorId, credentialDisabled, nowMs);
      const { health, isForAll } =
        lastReading(known, credentialDisabled, nowMs) ?? readEndpoint(known, credentialDisabled, { isolateId, nowMs });
      if (isForAll) return health;
      const met = findTenant(known.state.tenants, (tenant ??= digest([teamId])));
      return met === undefined ? health : readForTenant(known, { health, met }, { isolateId, nowMs });
    }
  }

  function unseen(operatorId: string, credentialDisabled: boolean, nowMs: number): EndpointHealth | undefined {
    const operator = operators.peek(operatorId);
    if (operator === undefined && !credentialDisabled) return undefined;
    return readUnseen(operator === undefined ? null : pooled(operator, nowMs), credentialDisabled);
  }

  return {
    begin,
    tryAcquireProbe(endpointId, teamId) {
      const known = endpoints.peek(endpointId);
      return known === undefined || acquire(known, { isolateId, tenant: digest([teamId]), nowMs: now() });
    },
    view,
    sync: () => client?.sync() ?? null,
  };
}

function termsOf({ operatorId, supply, maxConcurrency }: Offer): EndpointTerms {
  return { operatorId, isAnonymous: supply === 'subnet', declaredSlots: maxConcurrency };
}

/** An endpoint without a key is one of its own: a 401 there is nobody else's. */
function credentialOf(endpointId: string, name: string | null): string {
  return name ?? `endpoint ${endpointId}`;
}
