import type { DialectTarget } from '#providers/provider';
import { pseudonym } from './pseudonym.ts';

/** Fields in which OpenAI's APIs take an end user. */
const USER_FIELDS = ['user', 'safety_identifier'] as const;

/** Says who the end user is in the fields that the caller used, under a pseudonym. */
export function userFields(request: { user?: unknown; safety_identifier?: unknown }, target: DialectTarget): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const field of USER_FIELDS) {
    const user = request[field];
    if (typeof user === 'string' && user !== '') fields[field] = pseudonym(user, target);
  }
  return fields;
}
