/** A conversation that every client can hold: the weather of two cities at once, then of a third, then what was heard. */
import type { Round } from './tool-rounds.ts';

/** The calls of a model, for `openAiRounds` and `anthropicRounds`. */
export const BERN = callFor('call_1', 'Bern');
export const ZURICH = callFor('call_2', 'Zürich');
const GENEVA = callFor('call_3', 'Genève');
export const ROUNDS: readonly Round[] = [[BERN, ZURICH], [GENEVA]];

/** JSON Schema of the tool's input. */
export const PLACE = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;

/** The tool: the length of its name stands for the weather of a city. */
export function weatherIn({ city }: { city: string }): string {
  return `${city.length} in ${city}`;
}

/** The tool for clients that hand over the arguments as JSON text. */
export function weatherOf(json: string): string {
  return weatherIn(JSON.parse(json) as { city: string });
}

/** What the model says in the end. */
export const HEARD = 'Heard: 4 in Bern; 6 in Zürich; 6 in Genève';

function callFor(id: string, city: string) {
  return { id, name: 'weather', arguments: JSON.stringify({ city }) };
}
