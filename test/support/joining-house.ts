/** A house of operators that nodes join, and the ways in which they do. */
import { expect } from 'vitest';
import { createKeyPair, type KeyPair } from '#cli/node/identity/key-pair';
import { joinedNode, mintedJoinToken } from '#schema/answers/operators';
import { requestStatement } from '#schema/node-link';
import { readError } from './answers.ts';
import { joinBody } from './join-body.ts';
import { openOperatorsHouse, type OperatorsHouse } from './operators-house.ts';

/** How a node signs what it asks. */
interface Signature {
  node: string;
  by?: KeyPair;
  atMs?: number;
  /** What is signed in place of what is sent. */
  signed?: object;
  send?: unknown;
}

/** Prepares the house; everything but `body` works once it is open. */
export function createJoiningHouse() {
  let house: OperatorsHouse;
  let alice: string;
  const keys = createKeyPair();

  /** Opens it, with nodes of the manifest where there are any. `alice` is an operator for everybody, `bob` one of team `a`. */
  async function open(...declared: Parameters<typeof openOperatorsHouse>): Promise<{ house: OperatorsHouse; alice: string; bob: string }> {
    house = await openOperatorsHouse(...declared);
    alice = await house.operator('alice');
    return { house, alice, bob: await house.operator('bob', { team: 'a' }) };
  }

  const body = (node: string, more: { models?: string[] } & Record<string, unknown> = {}) =>
    joinBody(node, { public_key: keys.publicKey, ...more });

  async function mint(wish: Record<string, unknown> = {}, by = alice): Promise<string> {
    const response = await house.manage('POST', '/nodes/tokens', wish, by);
    const text = await response.text();
    expect([response.status, text]).toEqual([201, expect.any(String)]);
    return mintedJoinToken.parse(JSON.parse(text)).token;
  }

  const join = (token: string, wish: Record<string, unknown>) => house.manage('POST', '/nodes/join', wish, token);

  async function joined(wish: Record<string, unknown>, token?: string) {
    const response = await join(token ?? (await mint()), wish);
    const text = await response.text();
    expect([response.status, text]).toEqual([201, expect.any(String)]);
    return joinedNode.parse(JSON.parse(text));
  }

  const refused = async (response: Response) => {
    const { message, param } = await readError(response);
    return { status: response.status, message, param };
  };

  const rows = async (sql: string) => (await (await house.house.db()).prepare(sql).all()).results;

  /** Calls as a node: method and path are signed, the rest is as a test wants it. */
  function asNode(method: string, path: string, { node, by = keys, atMs = Date.now(), signed = {}, send }: Signature): Promise<Response> {
    const statement = requestStatement({ node, atMs, method, path, ...signed });
    const signature = Buffer.from(by.sign(statement), 'base64').toString('base64url');
    return fetch(`${house.house.url}${path}`, {
      method,
      headers: { authorization: `Node ${node}.${atMs}.${signature}`, 'content-type': 'application/json' },
      ...(send !== undefined && { body: JSON.stringify(send) }),
    });
  }

  return { open, body, mint, join, joined, refused, rows, asNode };
}
