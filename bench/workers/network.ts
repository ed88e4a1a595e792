/**
 * Sends every fetch straight to the network. Miniflare puts a Worker of its own between the two, which no production has and which
 * costs more than a pass-through. The router does the same by itself; this is for
 * the bare Workers, whose entries import it first.
 */
import { env } from 'cloudflare:workers';

const network = (env as { NETWORK: Fetcher }).NETWORK;
globalThis.fetch = (input: RequestInfo | URL, init?: RequestInit) => network.fetch(input, init);
