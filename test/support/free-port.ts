/** Ports that somebody may leave and take again. */
import { createServer } from 'node:net';

/** Linux hands out ports from 32,768 on by itself, others from 49,152. */
const FIRST = 20_000;
const COUNT = 12_000;
const TRIES = 100;

/** Finds a port of 127.0.0.1 on which nobody listens, and which no system gives to another process that asks for any. */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port among ${TRIES}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
