/** Every operation that the description of the API has, as the tests of it go through them. */
import { DESCRIPTIONS, ROOT_DESCRIPTIONS } from '#src/api/openapi/descriptions';
import type { Description } from '#src/api/openapi/description';
import { toTemplate } from '#src/api/openapi/operation';

/** One operation: its id, where it stands, and what is said of it. */
export interface Described {
  name: string;
  method: string;
  path: string;
  description: Description;
}

/** Operations under `/api/v1`. */
export const described = listDescribed(DESCRIPTIONS, '/api/v1');
/** Operations at the root. */
export const roots = listDescribed(ROOT_DESCRIPTIONS, '');

function listDescribed(table: Readonly<Record<string, readonly Description[]>>, base: string): Described[] {
  return Object.entries(table).flatMap(([surface, list]) => {
    const [method = '', pattern = ''] = surface.split(' ');
    return list.map((description) => ({
      name: description.id,
      method,
      path: base + (description.path ?? toTemplate(pattern)),
      description,
    }));
  });
}

/** Finds an operation by its id. Throws where there is none. */
export function find(id: string): Described {
  const found = described.find(({ name }) => name === id);
  if (!found) throw new Error(`nothing is called ${id}`);
  return found;
}
