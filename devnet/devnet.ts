/** Simulated supply for local use: one process, one port, a whole fleet behind path prefixes. Needs Node and nothing else. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createEndpoint } from './endpoint.ts';
import { FLEET } from './fleet.ts';
import { sendJson } from './http.ts';
import { createRandom } from './random.ts';
import { serveRequest, type Place } from './routes.ts';
import { createScheduler } from './scheduler.ts';

/** Port that the example manifest expects. */
export const DEFAULT_PORT = 9100;

/** Says how to start; everything has a default. */
export interface DevnetOptions {
  /** 0 takes any free port. Default 9100. */
  port?: number;
  host?: '127.0.0.1';
  /** Same seed, same draws. Default 1. */
  seed?: number;
  /** Divides every pause of every endpoint. Default 1. */
  speed?: number;
  /** Takes one line per event worth telling; by default nothing is told. */
  log?: (line: string) => void;
}

/** A devnet that runs. */
export interface Devnet {
  port: number;
  /** Such as `http://127.0.0.1:9100`; endpoints are at `<url>/<endpoint-id>/v1`. */
  url: string;
  /** Ends open streams, closes every connection and resolves when nothing is left. */
  stop(): Promise<void>;
}

/** Starts the fleet on loopback. Rejects with the listener's error, such as code `EADDRINUSE` when the port is busy. */
export async function startDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  const { port = DEFAULT_PORT, host = '127.0.0.1', seed = 1, speed = 1, log = () => {} } = options;
  const random = createRandom(seed);
  const scheduler = createScheduler();
  const place: Place = {
    endpoints: new Map(FLEET.map((card) => [card.id, createEndpoint(card, speed)])),
    origin: '',
    startSpeed: speed,
  };
  let serial = 0;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    serial += 1;
    const left = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) left.abort();
    });
    // A client that resets the connection is no event of ours; without a listener it would end the process.
    response.on('error', () => {});
    await serveRequest(place, { request, response, signal: left.signal, scheduler, random, origin: place.origin, serial });
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      log(`devnet: ${request.method} failed: ${error instanceof Error ? error.message : String(error)}`);
      sendJson(response, 500, { error: { message: 'the devnet itself failed' } });
    });
  });

  const boundPort = await listen(server, port, host);
  place.origin = `http://${host}:${boundPort}`;
  log(`devnet: ${place.endpoints.size} simulated endpoints on ${place.origin}, control at ${place.origin}/control`);
  let stopping: Promise<void> | undefined;
  return { port: boundPort, url: place.origin, stop: () => (stopping ??= close(server, scheduler.stop)) };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function close(server: Server, stopTimers: () => void): Promise<void> {
  stopTimers();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
