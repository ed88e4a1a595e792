/** What the manifest is checked and compiled against: the provider cards and the catalogue of this version. */
import { catalogueSeed } from '#providers/catalogue/seed';
import { providers } from '#providers/registry';
import type { ManifestSurroundings } from '#src/manifest/cross-check';
import type { CompileInput } from '#src/manifest/compile';

/** Gathers what cross-checks read. `allowedHosts` are the private hosts that the deployment names. */
export function surroundings(allowValues: boolean, allowedHosts: readonly string[]): ManifestSurroundings {
  return {
    providers: new Map([...providers.values()].map((card) => [card.id, { supply: card.supply, hasBaseUrl: card.baseUrl !== null }])),
    models: new Set(catalogueSeed().models.map((model) => model.id)),
    allowedHosts,
    allowValues,
  };
}

/** Gathers what compiling reads beside the manifest. */
export function houseFacts(): Pick<CompileInput, 'cards' | 'catalogue'> {
  return { cards: providers, catalogue: catalogueSeed() };
}
