/** Ready-made trouble on a real socket. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { chunk, openStream, sendJson } from './openai-scripts.ts';
import { pause } from './pause.ts';
import type { Script } from './scripted-upstream.ts';

/** Never answers. */
export const hang: Script = () => undefined;

/** Breaks the connection before a byte was sent. */
export const resetAtOnce: Script = (_, response) => reset(response);

/** Sends headers and nothing more. */
export const hangAfterHeaders: Script = (call, response) => openAs(call.body['stream'] === true, response);

/** Sends headers and breaks the connection. */
export const resetAfterHeaders: Script = async (call, response) => {
  openAs(call.body['stream'] === true, response);
  await turn();
  reset(response);
};

/** Opens the message without saying anything, and stays silent. */
export const hangAfterRole: Script = (_, response) => {
  openStream(response);
  response.write(ROLE);
};

/** Opens the message without saying anything, and breaks the connection. */
export const resetAfterRole: Script = async (_, response) => {
  openStream(response);
  response.write(ROLE);
  await turn();
  reset(response);
};

/** Answers with a status and OpenAI's error shape. */
export function refuse(status: number, error: object = { message: `status ${status}` }, headers: Record<string, string> = {}): Script {
  return (_, response) => sendJson(response, status, { error }, headers);
}

/** Answers with fixed bytes under a content type. */
export function send(status: number, contentType: string | null, body: string | Uint8Array, headers: Record<string, string> = {}): Script {
  return (_, response) => {
    response.writeHead(status, { ...(contentType === null ? {} : { 'content-type': contentType }), ...headers }).end(body);
  };
}

/** Streams these bytes as events and ends. */
export function stream(...frames: string[]): Script {
  return (_, response) => {
    openStream(response);
    response.end(frames.join(''));
  };
}

/** Writes bytes past the HTTP server: the test is the server. */
export function raw(write: (socket: Socket) => void | Promise<void>): Script {
  return (_, response) => write(socketOf(response));
}

/** Streams these bytes piece by piece, each in its own write. */
export function inPieces(pieces: readonly Uint8Array[]): Script {
  return raw(async (socket) => {
    socket.setNoDelay(true);
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n');
    for (const piece of pieces) {
      if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
      // Without a pause the sockets would put the pieces together again.
      await pause(1);
    }
    socket.end();
  });
}

/** The connection behind an answer. */
export function socketOf({ socket }: ServerResponse): Socket {
  if (socket === null) throw new Error('the connection is gone');
  return socket;
}

/** Breaks the connection the hard way. */
export function reset(response: ServerResponse): void {
  socketOf(response).resetAndDestroy();
}

/** Lets what was written leave the process. */
export function turn(): Promise<void> {
  return pause(20);
}

/** An opening that says nothing. */
export const ROLE = chunk({ role: 'assistant', content: '' });

function openAs(streaming: boolean, response: ServerResponse): void {
  if (streaming) return openStream(response);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
}
