/** Looks at a reading as a whole before any price of it is believed: lists break in ways that no single price shows. Pure. */
import type { FeedReading, ListedPrices } from '#schema/listed-model';

/** A list and its mistaken unit are a million apart; prices themselves never move this far together. */
const UNIT_FACTOR = 1_000;
/** A list with less than this share of its models or prices is half a list. */
const SHARE_MIN = 0.5;

/** A listed price beside what such a model is known to cost. */
export interface KnownBeside {
  listed: ListedPrices;
  /** Pico-USD per prompt token: the endpoint's own, or the median over others of its model. Above 0. */
  knownPrompt: number;
}

export interface Doubtful {
  reading: FeedReading;
  beside: readonly KnownBeside[];
  /** Models that the last good reading listed; 0 before the first. */
  modelCountBefore: number;
  /** A person has looked, and the list has really become that short. */
  acceptsShorter: boolean;
}

/** Says why a reading is not believed, one clause; null where it is. */
export function doubtOf({ reading: { models, problems }, beside, modelCountBefore, acceptsShorter }: Doubtful): string | null {
  const because = problems[0] === undefined ? '' : ` (${problems[0]})`;
  if (models.length === 0) return `it lists no models${because}`;
  if (!acceptsShorter && models.length < modelCountBefore * SHARE_MIN)
    return `it lists ${models.length} models, and ${modelCountBefore} before`;
  const priced = beside.flatMap(({ listed: { promptPicoUsdPerToken: prompt }, knownPrompt }) =>
    prompt === null || prompt === 0 ? [] : [prompt / knownPrompt],
  );
  if (beside.length > 0 && priced.length < beside.length * SHARE_MIN)
    return `it states a price for ${priced.length} of ${beside.length} models whose prices are known${because}`;
  return unitDoubt(priced) ?? absoluteDoubt(models);
}

function unitDoubt(ratios: readonly number[]): string | null {
  const ratio = medianOf(ratios);
  if (ratio === null || (ratio < UNIT_FACTOR && ratio > 1 / UNIT_FACTOR)) return null;
  const [size, mistake] =
    ratio > 1
      ? [`about ${Math.round(ratio).toLocaleString('en-US')} times`, 'prices per million tokens read as per token']
      : [`about 1/${Math.round(1 / ratio).toLocaleString('en-US')} of`, 'prices per token read as per million'];
  return `its prices are ${size} what is known: a mistake of units, such as ${mistake}`;
}

/** A thousand USD per million tokens, in pico-USD a token. */
const ABSURD_PROMPT = 1e9;

/** Where nothing is known to compare with, half a list above every price there is must do. */
function absoluteDoubt(models: readonly ListedPrices[]): string | null {
  const median = medianOf(models.flatMap(({ promptPicoUsdPerToken: prompt }) => (prompt === null || prompt === 0 ? [] : [prompt])));
  return median !== null && median > ABSURD_PROMPT
    ? 'its prices are beyond those of every model: a mistake of units, such as prices per million tokens read as per token'
    : null;
}

/** Finds the middle value, the lower one of two; null of none. */
function medianOf(values: readonly number[]): number | null {
  return values.toSorted((one, other) => one - other)[Math.floor((values.length - 1) / 2)] ?? null;
}
