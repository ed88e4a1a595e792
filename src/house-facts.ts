/** What the manifest is checked and compiled against, in the Worker and on the command line alike: the provider cards and the catalogue of this version. */
import { catalogueSeed } from '#providers/catalogue/seed';
import { providers } from '#providers/registry';
import type { ManifestSurroundings } from '#src/manifest/surroundings';
import type { CompileInput } from '#src/manifest/compile';

/** Gathers what cross-checks read. `allowedHosts` are the private hosts that the deployment names. */
export function surroundings(allowValues: boolean, allowedHosts: readonly string[]): ManifestSurroundings {
  return {
    providers: new Map(
      [...providers.values()].map(({ id, supply, baseUrl, keyName }) => [
        id,
        { supply, hasBaseUrl: baseUrl !== null, keyName, ...(baseUrl !== null && { origin: new URL(baseUrl).origin }) },
      ]),
    ),
    models: new Set(catalogueSeed().models.map((model) => model.id)),
    allowedHosts,
    allowValues,
  };
}

/** Gathers what compiling reads beside the manifest. */
export function houseFacts(): Pick<CompileInput, 'cards' | 'catalogue'> {
  return { cards: providers, catalogue: catalogueSeed() };
}
