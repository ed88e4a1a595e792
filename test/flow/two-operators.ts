/** A deployment with two operators of the same rank, and what tests ask in their names about endpoints. */
import { changed, openOperatorsHouse, type Endpoint, type OperatorsHouse } from '#test/support/operators-house';

export interface TwoOperators {
  house: OperatorsHouse;
  /** Keys of the operators; whoever is not named asks as alice. */
  alice: string;
  bob: string;
  post(wish: Record<string, unknown>, by?: string): Promise<Response>;
  patch(id: string, wish: Record<string, unknown>, by?: string): Promise<Response>;
  retire(id: string, by?: string): Promise<Response>;
  /** Reads an endpoint that must be there. */
  find(id: string, by?: string): Promise<Endpoint>;
}

/** Opens the house, in which a model costs 1 and 2 USD per million tokens at the manifest's own endpoint, and makes the operators. */
export async function openTwoOperators(): Promise<TwoOperators> {
  const house = await openOperatorsHouse();
  const alice = await house.operator('alice');
  const bob = await house.operator('bob');
  return {
    house,
    alice,
    bob,
    post: (wish, by = alice) => house.manage('POST', '/endpoints', wish, by),
    patch: (id, wish, by = alice) => house.manage('PATCH', `/endpoints/${id}`, wish, by),
    retire: (id, by = alice) => house.manage('DELETE', `/endpoints/${id}`, undefined, by),
    find: async (id, by = alice) => changed(await house.manage('GET', `/endpoints/${id}`, undefined, by)),
  };
}
