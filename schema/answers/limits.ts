/** Limits as answers tell them: without the name of their contract, as answers may grow where requests may not. */
import { z } from 'zod';
import { limits } from '#schema/limits';

export const statedLimits = z
  .strictObject(limits.shape)
  .nullable()
  .describe('Requests and tokens per UTC minute, and requests at once; null without limits');
