import { z } from 'zod';

/**
 * Makes the contract of a list with `min` to `max` items. Length is checked before anything else: to look at every item of a body's worth
 * of nonsense, and to describe each, would take seconds.
 */
export function boundedList<Item extends z.ZodType>(item: Item, max: number, min = 1) {
  return z.preprocess((list, context) => {
    if (Array.isArray(list) && list.length > max) context.addIssue(`expected at most ${max} items`);
    return list;
  }, z.array(item).min(min, 'expected at least one item').max(max));
}
