/** Rules between the fields of a Messages request, and what no block may ask for. */
import type { Contradiction } from './chat-rules.ts';
import type { CountTokensRequest, MessageBlock } from './messages-prompt.ts';

/** Files and containers belong to the operator's account, which all callers share. */
const STORED = 'uploaded files cannot be used here: send the content as base64 or by url';

/** Finds the first thing that a request says against itself, or asks of us in vain; null when all is well. */
export function findContradiction(request: CountTokensRequest): Contradiction | null {
  return findToolContradiction(request) ?? findStoredFile(request);
}

/** Where nothing can be called, or not what the caller demands, no answer is the one that was asked for. */
function findToolContradiction({ tools, tool_choice: choice }: CountTokensRequest): Contradiction | null {
  if (choice?.type === 'any' && !tools?.length) return { path: ['tool_choice'], message: 'asks for a tool call, but there are no tools' };
  if (choice?.type !== 'tool' || tools?.some((tool) => nameOf(tool) === choice.name)) return null;
  return { path: ['tool_choice', 'name'], message: 'is not the name of any of the tools' };
}

function nameOf(tool: NonNullable<CountTokensRequest['tools']>[number]): unknown {
  return tool.type === 'built_in' ? tool.tool['name'] : tool.name;
}

/** Blocks that only one API knows are kept unread, but for this. Earlier answers may name files that a tool of the vendor's made. */
function findStoredFile({ messages }: CountTokensRequest): Contradiction | null {
  for (const [index, { role, content }] of messages.entries()) {
    const place = typeof content === 'string' || role === 'assistant' ? null : placeOfFile(content);
    if (place !== null) return { path: ['messages', index, ...place], message: STORED };
  }
  return null;
}

function placeOfFile(blocks: readonly MessageBlock[]): PropertyKey[] | null {
  for (const [index, block] of blocks.entries()) {
    if (block.type === 'other' && namesFile(block.block)) return ['content', index];
    if (block.type !== 'tool_result' || !Array.isArray(block.content)) continue;
    const inner = placeOfFile(block.content);
    if (inner !== null) return ['content', index, ...inner];
  }
  return null;
}

function namesFile(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => (name === 'file_id' && typeof inner === 'string') || namesFile(inner));
}
