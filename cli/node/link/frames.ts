/**
 * WebSocket frames as a client reads and writes them, without extensions. RFC 6455 §5. What a frame announces is believed before it is kept: one
 * that would make a message too long ends the reading at once, so that nobody on the other side can fill this machine.
 */
import { randomFillSync } from 'node:crypto';

/** Kinds of frames; `more` goes on with the message before. RFC 6455 §5.2. */
export const OPCODE = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
type Opcode = (typeof OPCODE)[keyof typeof OPCODE];

/** A whole message, or a control frame. A close without a code has 1005. */
export type Incoming =
  | { kind: 'text'; text: string }
  | { kind: 'binary'; bytes: Uint8Array }
  | { kind: 'close'; code: number; reason: string }
  | { kind: 'ping' | 'pong'; payload: Uint8Array };

/** The other side does not keep to the rules; `code` is the close code that says so. RFC 6455 §7.4.1. */
export class FrameError extends Error {
  readonly code: 1002 | 1007 | 1009;

  constructor(code: 1002 | 1007 | 1009, message: string) {
    super(message);
    this.code = code;
  }
}

/** How long messages may be, all their pieces together. */
export interface FrameLimits {
  textBytesMax: number;
  binaryBytesMax: number;
}

const CONTROL_BYTES_MAX = 125;
/** Frames of one message: each is kept with more than its bytes, and no router cuts its messages up. */
const PIECES_MAX = 1_024;
const NO_CODE = 1005;
const OPCODES: ReadonlySet<number> = new Set(Object.values(OPCODE));

interface Head {
  isLast: boolean;
  opcode: Opcode;
  sizeBytes: number;
}

/** Starts to read: takes bytes as they come, and gives what is whole. Throws FrameError; nothing may be read after that. */
export function createFrameReader(limits: FrameLimits): (bytes: Buffer) => Incoming[] {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let head: Head | null = null;
  /** Frames of a message that is not whole yet. */
  let parts: Buffer[] = [];
  let partsBytes = 0;
  let messageOpcode: Opcode | null = null;

  /** Gives the next bytes without taking them; null while there are too few. */
  function peek(count: number): Buffer | null {
    if (waitingBytes < count) return null;
    if ((waiting[0]?.length ?? 0) < count) waiting = [Buffer.concat(waiting)];
    return (waiting[0] ?? Buffer.alloc(0)).subarray(0, count);
  }

  function drop(count: number): void {
    const [first] = waiting;
    waitingBytes -= count;
    if (first === undefined || count === 0) return;
    if (first.length === count) waiting.shift();
    else waiting[0] = first.subarray(count);
  }

  function readHead(): Head | null {
    const start = peek(2);
    if (start === null) return null;
    const [flags = 0, length = 0] = start;
    const extraBytes = { 126: 2, 127: 8 }[length] ?? 0;
    const whole = peek(2 + extraBytes);
    if (whole === null) return null;
    const sizeBytes = extraBytes === 0 ? length : extraBytes === 2 ? whole.readUInt16BE(2) : Number(whole.readBigUInt64BE(2));
    drop(whole.length);
    if ((flags & 0x70) !== 0) throw new FrameError(1002, 'a frame of an extension that nobody asked for');
    if (!OPCODES.has(flags & 0x0f)) throw new FrameError(1002, 'a frame of no known kind');
    if (length > 127) throw new FrameError(1002, 'a masked frame');
    return check({ isLast: (flags & 0x80) !== 0, opcode: (flags & 0x0f) as Opcode, sizeBytes });
  }

  function check(next: Head): Head {
    if (next.opcode >= OPCODE.close) {
      if (next.isLast && next.sizeBytes <= CONTROL_BYTES_MAX) return next;
      throw new FrameError(1002, 'a control frame that is none');
    }
    if ((next.opcode === OPCODE.more) !== (messageOpcode !== null)) throw new FrameError(1002, 'a piece of no message');
    const opcode = messageOpcode ?? next.opcode;
    const bytesMax = opcode === OPCODE.text ? limits.textBytesMax : limits.binaryBytesMax;
    if (partsBytes + next.sizeBytes > bytesMax) throw new FrameError(1009, 'a message that is too long');
    // Pieces of nothing would be kept without counting.
    if (!next.isLast && next.sizeBytes === 0) throw new FrameError(1002, 'an empty piece');
    return next;
  }

  function take({ isLast, opcode }: Head, payload: Buffer): Incoming | null {
    if (opcode === OPCODE.close) return readClose(payload);
    if (opcode === OPCODE.ping || opcode === OPCODE.pong) return { kind: opcode === OPCODE.ping ? 'ping' : 'pong', payload };
    if (!isLast) {
      if (parts.length === PIECES_MAX) throw new FrameError(1009, 'a message in too many pieces');
      messageOpcode ??= opcode;
      parts.push(payload);
      partsBytes += payload.length;
      return null;
    }
    const whole = parts.length === 0 ? payload : Buffer.concat([...parts, payload]);
    const kind = messageOpcode ?? opcode;
    [parts, partsBytes, messageOpcode] = [[], 0, null];
    return kind === OPCODE.text ? { kind: 'text', text: toText(whole) } : { kind: 'binary', bytes: whole };
  }

  return (bytes) => {
    waiting.push(bytes);
    waitingBytes += bytes.length;
    const found: Incoming[] = [];
    for (;;) {
      head ??= readHead();
      const payload = head && peek(head.sizeBytes);
      if (head === null || payload === null) return found;
      drop(head.sizeBytes);
      const incoming = take(head, payload);
      head = null;
      if (incoming !== null) found.push(incoming);
    }
  };
}

function readClose(payload: Buffer): Incoming {
  if (payload.length === 1) throw new FrameError(1002, 'half a close code');
  if (payload.length === 0) return { kind: 'close', code: NO_CODE, reason: '' };
  return { kind: 'close', code: payload.readUInt16BE(0), reason: toText(payload.subarray(2)) };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function toText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new FrameError(1007, 'a text that is none');
  }
}

/** Masks are drawn a few hundred at a time. */
const masks = Buffer.alloc(4 * 256);
let nextMask = masks.length;

function drawMask(): Buffer {
  if (nextMask === masks.length) {
    randomFillSync(masks);
    nextMask = 0;
  }
  nextMask += 4;
  return masks.subarray(nextMask - 4, nextMask);
}

/** Builds a whole frame, masked as a client must. */
export function encodeFrame(opcode: Opcode, payload: Uint8Array): Buffer {
  const { length } = payload;
  const extraBytes = length < 126 ? 0 : length < 0x1_0000 ? 2 : 8;
  const frame = Buffer.allocUnsafe(6 + extraBytes + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extraBytes === 0 ? length : extraBytes === 2 ? 126 : 127);
  if (extraBytes === 2) frame.writeUInt16BE(length, 2);
  if (extraBytes === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  const mask = drawMask();
  const start = 6 + extraBytes;
  mask.copy(frame, start - 4);
  const [a = 0, b = 0, c = 0, d = 0] = mask;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    frame[start + at] = (payload[at] as number) ^ a;
    frame[start + at + 1] = (payload[at + 1] as number) ^ b;
    frame[start + at + 2] = (payload[at + 2] as number) ^ c;
    frame[start + at + 3] = (payload[at + 3] as number) ^ d;
  }
  for (; at < length; at++) frame[start + at] = (payload[at] as number) ^ (mask[at % 4] as number);
  return frame;
}

/** Builds a close frame. */
export function encodeClose(code: number, reason: string): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return encodeFrame(OPCODE.close, payload);
}
