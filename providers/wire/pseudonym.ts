import { createHmac } from 'node:crypto';
import type { DialectTarget } from '#providers/provider';

/** Hexadecimal digits that tell the users of one account apart. */
const PSEUDONYM_CHARS = 32;

/**
 * Stands for an end user before a vendor, so that one abuser does not get the whole account blocked: the same for the same user, nobody's
 * name, and by our credential there (an HMAC) another one at every vendor.
 */
export function pseudonym(user: string, { key }: Pick<DialectTarget, 'key'>): string {
  return createHmac('sha256', key ?? '')
    .update(user)
    .digest('hex')
    .slice(0, PSEUDONYM_CHARS);
}
