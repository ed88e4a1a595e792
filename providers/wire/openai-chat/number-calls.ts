import type { ChatChoice, ChatDelta } from '#schema/chat';
import { callId } from './decode-calls.ts';

/** No answer calls more tools; bounds what is remembered. */
const CALLS_MAX = 1024;

type CallPiece = NonNullable<ChatDelta['tool_calls']>[number];

/** A call whose pieces are still coming. */
interface OpenCall {
  number: number;
  /** The upstream's id; undefined until it says one. */
  id: string | undefined;
  /** The client has been told an id of ours. */
  isNamed: boolean;
}

/**
 * Creates the numbering of one stream's tool calls, which is written into the pieces. Some servers give every call the index 0, and clients
 * would run their arguments together: a piece that names a function under another id begins another call. A call without an id gets one.
 */
export function createCallNumbers(): (choices: readonly ChatChoice[], upstreamId: string | null) => void {
  /** Upstream's choice and index → the call that its pieces belong to now. */
  const current = new Map<string, OpenCall>();
  const taken = new Set<string>();
  let free = 0;

  function callOf(choice: number, piece: CallPiece): OpenCall {
    const { index = 0, id } = piece;
    const place = `${choice}.${index}`;
    const known = current.get(place);
    if (known !== undefined && !beginsAnother(piece, known)) return known;
    if (taken.size >= CALLS_MAX) return known ?? { number: index, id, isNamed: false };
    const number = taken.has(place) ? free : index;
    free = Math.max(free, number + 1);
    taken.add(`${choice}.${number}`);
    const begun = { number, id, isNamed: false };
    current.set(place, begun);
    return begun;
  }

  return (choices, upstreamId) => {
    for (const { index, delta } of choices) {
      for (const piece of delta?.tool_calls ?? []) {
        const call = callOf(index, piece);
        piece.index = call.number;
        if (call.isNamed) delete piece.id;
        else if (piece.id) call.id = piece.id;
        else if (!call.id && piece.function?.name) {
          piece.id = callId(upstreamId, index, call.number);
          call.isNamed = true;
        }
      }
    }
  };
}

function beginsAnother({ id, function: named }: CallPiece, { id: before }: OpenCall): boolean {
  return Boolean(id && before && id !== before && named?.name);
}
