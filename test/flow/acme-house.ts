import { listedModel, openPricedHouse, type PricedHouse } from '#test/support/priced-house';

export interface AcmeHouse extends PricedHouse {
  /** Lets feed `acme` list its model as it did when the house was opened. */
  serveAcme(): void;
}

/** Opens a house whose feed `acme` has been read once: its model costs 1 and 2 USD per million tokens. */
export async function openAcmeHouse(): Promise<AcmeHouse> {
  const priced = await openPricedHouse();
  const serveAcme = (): void => priced.serveList('acme', [listedModel('0.000001', '0.000002')]);
  serveAcme();
  await priced.read('acme');
  return { ...priced, serveAcme };
}
