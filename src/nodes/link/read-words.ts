/** Reads what a node says in words, and believes none of it. */
import { answerHead, CONTROL_CHARS_MAX, nodeToLink, type AnswerHead, type NodeToLink } from '#schema/node-link';

const UTF8 = new TextDecoder();

/** Reads a control frame; null where it is none. */
export function readControl(text: string): NodeToLink | null {
  if (text.length > CONTROL_CHARS_MAX) return null;
  try {
    return nodeToLink.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Reads the payload of a binary head; null where it is none. */
export function readHead(payload: Uint8Array): AnswerHead | null {
  try {
    return answerHead.parse(JSON.parse(UTF8.decode(payload)));
  } catch {
    return null;
  }
}
