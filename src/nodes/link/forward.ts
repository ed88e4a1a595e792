/** One HTTP request over a link: out as frames, and back as a response whose body is read no faster than its reader reads. */
import { INLINE_BODY_CHARS_MAX, LINK_PATHS, LINK_REQUEST_HEADERS, LINK_RESPONSE_HEADERS } from '#schema/node-link';
import { createAnswerBody } from './answer-body.ts';
import { piecesOf } from './body-pieces.ts';
import { refuse, type Refusal } from './refusals.ts';
import type { LinkRequest, LinkSession, OpenStream } from './session.ts';
import type { BreakReason } from './stream.ts';

const PATHS: ReadonlySet<string> = new Set(LINK_PATHS);
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const HARMLESS_VALUE = /^[\t\x20-\x7e]*$/;
/** Statuses that a response with a body may have, apart from redirects, which nobody follows. */
const isPassable = (status: number) =>
  status === 200 || (status > 205 && status < 300) || status === 201 || status === 202 || status >= 400;

const BREAK_REFUSALS: Readonly<Record<BreakReason, Refusal>> = {
  unlinked: 'node_unlinked',
  reset: 'node_reset',
  unread: 'node_reset',
  protocol: 'node_protocol',
};

/** Sends a request over the link. Never rejects for what the node does: every way of failing is a response, or breaks its body. */
export async function forward(request: Request, session: LinkSession): Promise<Response> {
  const { pathname } = new URL(request.url);
  const { method } = request;
  if (!PATHS.has(pathname) || (method !== 'GET' && method !== 'POST')) return refuse('node_path');

  if (session.isFull) return refuse('node_full');
  const outgoing = await readOutgoing(request);
  const { promise, resolve } = Promise.withResolvers<Response>();
  let isOver = false;
  const body = createAnswerBody({
    consumed: (bytes) => stream?.consumed(bytes),
    left: () => stream?.reset('the client has left'),
  });
  const stream: OpenStream | null = session.open(
    { method, path: pathname, headers: pick(request.headers, LINK_REQUEST_HEADERS), ...outgoing.frame },
    {
      head(status, headers) {
        if (isPassable(status))
          return resolve(new Response(body.stream, { status, headers: pick(lowerCase(headers), LINK_RESPONSE_HEADERS) }));
        stream?.reset('an answer that cannot be passed on');
        resolve(refuse('node_protocol'));
      },
      data: body.push,
      end() {
        isOver = true;
        body.end();
      },
      broken(reason) {
        isOver = true;
        resolve(refuse(BREAK_REFUSALS[reason]));
        body.fail('the node broke the answer off');
      },
    },
  );
  if (stream === null) return refuse(session.isFull ? 'node_full' : 'node_unlinked');
  const breakOff = (reason: string) => {
    // An answer that is whole stays so, read or not.
    if (isOver) return;
    stream.reset(reason);
    resolve(refuse('node_reset'));
    body.fail(reason);
  };
  if (outgoing.long !== null) void sendBody(stream, outgoing.long, breakOff);
  const leave = () => breakOff('the client has left');
  if (request.signal.aborted) leave();
  else request.signal.addEventListener('abort', leave, { once: true });
  return promise;
}

/** A body that goes in frames of its own. */
interface LongBody {
  pieces: ReadableStream<Uint8Array>;
  sizeBytes: number;
}

/** How a request body goes over the wire: inside the frame where it is short, as text; else piece by piece, as it is read. */
async function readOutgoing(request: Request): Promise<{ frame: Pick<LinkRequest, 'body' | 'bodyBytes'>; long: LongBody | null }> {
  if (request.body === null) return { frame: {}, long: null };
  const sizeBytes = sizeOf(request.headers);
  if (sizeBytes !== null && sizeBytes > INLINE_BODY_CHARS_MAX) return toLong({ pieces: request.body, sizeBytes });
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > INLINE_BODY_CHARS_MAX) return toLong(inOnePiece(bytes));
  try {
    return { frame: { body: UTF8.decode(bytes) }, long: null };
  } catch {
    return toLong(inOnePiece(bytes));
  }
}

/** Reads how long a body is; null where nobody has said. */
function sizeOf(headers: Headers): number | null {
  const text = headers.get('content-length');
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function toLong(long: LongBody): { frame: Pick<LinkRequest, 'bodyBytes'>; long: LongBody } {
  return { frame: { bodyBytes: long.sizeBytes }, long };
}

function inOnePiece(bytes: Uint8Array): LongBody {
  return { pieces: new Blob([bytes]).stream(), sizeBytes: bytes.length };
}

/** Sends a body no faster than the node reads it: what has not been sent stays with whoever asks. */
async function sendBody(stream: OpenStream, { pieces, sizeBytes }: LongBody, breakOff: (reason: string) => void): Promise<void> {
  let sentBytes = 0;
  try {
    for await (const piece of piecesOf(pieces)) {
      sentBytes += piece.length;
      if (sentBytes > sizeBytes) break;
      if (!(await stream.send(piece))) return;
    }
    if (sentBytes === sizeBytes) return stream.endBody();
  } catch {
    // Told below.
  }
  breakOff('the request broke off');
}

/** Keeps the headers that may cross; a value that could split a header does not. */
function pick(headers: Headers | ReadonlyMap<string, string>, allowed: readonly string[]): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of allowed) {
    const value = headers.get(name) ?? null;
    if (value !== null && HARMLESS_VALUE.test(value)) kept[name] = value;
  }
  return kept;
}

/** Headers as a node names them; no `Headers`, which would throw at what is dropped here. */
function lowerCase(headers: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
