/** The `Idempotency-Key` header as clients send it. */
import { GatewayError } from '#schema/error';

/** Names the header in requests. */
export const IDEMPOTENCY_HEADER = 'idempotency-key';
/** Names the header in errors. */
export const IDEMPOTENCY_PARAM = 'Idempotency-Key';

/** Printable ASCII; quotes, which the IETF draft asks for, are part of the key. */
const KEY_SHAPE = /^[\x20-\x7e]{1,255}$/;

/** Reads the header. Throws GatewayError `invalid_request`. */
export function readIdempotencyKey(headers: Headers): string {
  const key = headers.get(IDEMPOTENCY_HEADER) ?? '';
  if (KEY_SHAPE.test(key)) return key;
  throw new GatewayError('invalid_request', `${IDEMPOTENCY_PARAM} must be 1 to 255 printable ASCII characters.`, {
    param: IDEMPOTENCY_PARAM,
  });
}
