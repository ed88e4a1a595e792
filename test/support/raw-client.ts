/** A client on a bare socket, for what `fetch` cannot do: leave rudely, read slowly, notice a broken end. */
import { connect, type Socket } from 'node:net';
import type { House } from './house.ts';
import { MODEL } from './house.ts';

export interface RawClient {
  socket: Socket;
  /** Everything received so far, headers included. */
  text(): string;
  /** Waits until a text has come. */
  until(text: string): Promise<void>;
  /** Leaves with a reset, which a server notices at once. */
  reset(): void;
}

/** Sends a chat request. With `paused` nothing is read until `socket.resume()`. */
export async function sendRaw(house: House, body: Record<string, unknown>, { paused = false } = {}): Promise<RawClient> {
  const { hostname, port } = new URL(house.url);
  const payload = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'Say hello.' }], ...body });
  const socket = connect({ host: hostname, port: Number(port) });
  const pieces: Buffer[] = [];
  const text = () => Buffer.concat(pieces).toString('utf8');
  socket.on('error', () => undefined);
  if (!paused) socket.on('data', (piece) => void pieces.push(piece));
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${house.key}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`,
  );
  return {
    socket,
    text,
    async until(wanted) {
      while (!text().includes(wanted)) await new Promise((resolve) => socket.once('data', resolve));
    },
    reset: () => void socket.resetAndDestroy(),
  };
}
