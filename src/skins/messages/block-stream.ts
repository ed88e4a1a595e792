import { beginBlock } from './blocks.ts';
import { frame } from './frame.ts';
import { createNesting, type Nesting } from './nesting.ts';
import type { Piece, ToolPiece } from './pieces.ts';
import { UNSIGNED } from './reasoning.ts';

const THINKING = 'thinking';

/** Says content as events: one block after the other, each begun, said and ended. Both methods return complete frames. */
export interface BlockStream {
  say(piece: Piece): string;
  /** Says what was held back and ends the last block. */
  end(): string;
}

interface OpenBlock {
  index: number;
  lane: string;
  /** Thinking that bears its signature. */
  isSigned: boolean;
  /** Of the arguments of a call. */
  nesting: Nesting;
}

/**
 * Creates the stream of one answer's blocks. Upstreams may mix the arguments of several calls; here a block is said to its end, so
 * what belongs elsewhere waits until the open call is complete: its arguments are whole JSON, or the answer is over.
 */
export function createBlockStream(answerId: string): BlockStream {
  let open: OpenBlock | null = null;
  let begun = 0;
  const waiting = new Set<Piece>();
  const waitingCalls = new Map<number, ToolPiece>();
  const endedCalls = new Set<string>();

  const begin = (piece: Piece): OpenBlock => (open = { index: begun++, lane: laneOf(piece), isSigned: false, nesting: createNesting() });
  const stop = (): string => {
    if (open === null) return '';
    const { index, lane, isSigned } = open;
    open = null;
    if (isCall(lane)) endedCalls.add(lane);
    const unsigned = lane === THINKING && !isSigned ? deltaFrame(index, { type: 'signature_delta', signature: UNSIGNED }) : '';
    return unsigned + frame({ type: 'content_block_stop', index });
  };
  const write = (piece: Piece): string => {
    const lane = laneOf(piece);
    if (endedCalls.has(lane)) return '';
    let frames = '';
    let block = open;
    if (block === null || block.lane !== lane) {
      frames = stop();
      block = begin(piece);
      frames += frame({ type: 'content_block_start', index: block.index, content_block: beginBlock(piece, answerId) });
    }
    if (piece.kind === 'tool') block.nesting.add(piece.arguments);
    if (piece.kind === 'signature') block.isSigned = true;
    const delta = toDelta(piece);
    if (delta !== null) frames += deltaFrame(block.index, delta);
    return isLastOfBlock(piece) ? frames + stop() : frames;
  };
  const wait = (piece: Piece): void => {
    if (piece.kind === 'tool') {
      const before = waitingCalls.get(piece.call);
      // What waits of one call is said in one go, so it need not be remembered piece by piece.
      if (before !== undefined) return void (before.arguments += piece.arguments);
      waitingCalls.set(piece.call, piece);
    }
    waiting.add(piece);
  };
  const isHeld = (): boolean => open !== null && isCall(open.lane) && !open.nesting.isClosed();
  const settle = (): string => {
    let frames = '';
    for (const piece of waiting) {
      if (isHeld()) break;
      waiting.delete(piece);
      if (piece.kind === 'tool') waitingCalls.delete(piece.call);
      frames += write(piece);
    }
    return frames;
  };

  return {
    say(piece) {
      if (open?.lane === laneOf(piece)) return write(piece) + settle();
      wait(piece);
      return settle();
    },
    end() {
      let frames = stop();
      while (waiting.size > 0) frames += settle() + stop();
      return frames;
    },
  };
}

function deltaFrame(index: number, delta: object): string {
  return frame({ type: 'content_block_delta', index, delta });
}

/** Names the block that a piece is part of, as far as it can go on in the one that is open. */
function laneOf(piece: Piece): string {
  if (piece.kind === 'tool') return `call ${piece.call}`;
  return piece.kind === 'signature' ? THINKING : piece.kind;
}

function isCall(lane: string): boolean {
  return lane.startsWith('call ');
}

function isLastOfBlock({ kind }: Piece): boolean {
  return kind === 'signature' || kind === 'redacted';
}

function toDelta(piece: Piece): object | null {
  switch (piece.kind) {
    case 'thinking':
      return { type: 'thinking_delta', thinking: piece.text };
    case 'signature':
      return { type: 'signature_delta', signature: piece.signature };
    case 'text':
      return { type: 'text_delta', text: piece.text };
    case 'tool':
      return piece.arguments === '' ? null : { type: 'input_json_delta', partial_json: piece.arguments };
    case 'redacted':
      return null;
  }
}
