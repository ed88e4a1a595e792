/** Regions that a caller may ask data to stay in. */

/** Members of the European Union. */
const EU: ReadonlySet<string> = new Set('AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '));
const REGIONS = { eu: EU, us: new Set(['US']) as ReadonlySet<string> };
export type Region = keyof typeof REGIONS;

/** Answers whether all places lie in a region; unknown places do not. */
export function liesIn(region: Region, countries: readonly string[]): boolean {
  return countries.length > 0 && countries.every((country) => REGIONS[region].has(country));
}
