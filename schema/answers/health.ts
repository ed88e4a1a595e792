import { z } from 'zod';

/** The answer of `GET /healthz`. */
export const health = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' });
