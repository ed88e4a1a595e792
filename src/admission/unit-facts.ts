/** What routing may know of a unit operation. */
import type { RequestFacts } from '#schema/facts';
import type { ClientUnit, UnitOperation } from '#schema/skin';

/** Derives the facts of a request for a unit operation: it has a prompt and units. */
export function unitFacts(
  { size, needs = [] }: Pick<ClientUnit, 'size' | 'needs'>,
  of: { teamId: string; freeOnly: boolean; operation: UnitOperation },
): RequestFacts {
  return {
    ...of,
    promptTokens: size.promptTokens,
    contextTokens: size.contextTokens,
    ...(size.unitsMax > 0 && { unitsMax: size.unitsMax }),
    maxTokens: null,
    choices: outputsOf(of.operation, size.unitsMax),
    expectedCompletionTokens: 0,
    stream: false,
    needs,
    wants: [],
    signedBy: [],
    reasoning: false,
  };
}

/** How many outputs an endpoint may bill by the token, where it is priced that way: each as long as the endpoint allows. */
function outputsOf(operation: UnitOperation, unitsMax: number): number {
  switch (operation) {
    case 'embeddings':
    case 'rerank':
      return 0;
    case 'images':
      return unitsMax;
    case 'speech':
    case 'transcription':
      return 1;
    default:
      return operation satisfies never;
  }
}
