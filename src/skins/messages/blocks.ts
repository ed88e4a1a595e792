/** The content of an answer in this API's blocks. */
import { isJsonObject } from '../json-object.ts';
import type { Piece, ToolPiece } from './pieces.ts';
import { UNSIGNED } from './reasoning.ts';

export type Block =
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'redacted_thinking'; data: string }
  | { type: 'text'; text: string; citations: null }
  | { type: 'tool_use'; id: string; name: string; input: object };

/** Makes the block that a piece begins, still empty of what is said bit by bit. `answerId` names calls that the upstream left nameless. */
export function beginBlock(piece: Piece, answerId: string): Block {
  switch (piece.kind) {
    case 'thinking':
    case 'signature':
      return { type: 'thinking', thinking: '', signature: '' };
    case 'redacted':
      return { type: 'redacted_thinking', data: piece.data };
    case 'text':
      return { type: 'text', text: '', citations: null };
    case 'tool':
      return { type: 'tool_use', id: piece.id || `${answerId}-${piece.call}`, name: piece.name, input: {} };
  }
}

/** Puts a whole answer's pieces together. */
export function toBlocks(pieces: readonly Piece[], answerId: string): Block[] {
  const blocks: Block[] = [];
  for (const piece of pieces) {
    let block = blocks.at(-1);
    if (block === undefined || !continues(block, piece)) blocks.push((block = beginBlock(piece, answerId)));
    if (piece.kind === 'thinking' && block.type === 'thinking') block.thinking += piece.text;
    if (piece.kind === 'signature' && block.type === 'thinking') block.signature = piece.signature;
    if (piece.kind === 'text' && block.type === 'text') block.text += piece.text;
    if (piece.kind === 'tool' && block.type === 'tool_use') block.input = readInput(piece);
  }
  for (const block of blocks) if (block.type === 'thinking') block.signature ||= UNSIGNED;
  return blocks;
}

function continues(block: Block, { kind }: Piece): boolean {
  if (kind === 'text') return block.type === 'text';
  return (kind === 'thinking' || kind === 'signature') && block.type === 'thinking' && block.signature === '';
}

/** Arguments that are no JSON object, such as those of an answer cut short, are kept as they were written. */
function readInput({ arguments: text }: ToolPiece): object {
  try {
    const input: unknown = JSON.parse(text === '' ? '{}' : text);
    return isJsonObject(input) ? input : { arguments: text };
  } catch {
    return { arguments: text };
  }
}
