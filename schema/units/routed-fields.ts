/** What every request says to be routed, whatever it asks for. */
import { z } from 'zod';
import { providerWishes } from '#schema/policy';
import { boundedList } from './bounded-list.ts';

const modelName = z.string().min(1).max(300);

export const routedFields = {
  model: modelName,
  models: boundedList(modelName, 10, 0).nullish(),
  provider: providerWishes.nullish(),
  session_id: z.string().max(256).nullish(),
  user: z.string().max(256).nullish(),
};
