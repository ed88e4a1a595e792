import { describe, expect, it } from 'vitest';
import { catalogueSeed, seedModel, seedOffer } from '#providers/catalogue/seed';
import { findProvider } from '#providers/registry';

const { models, offers } = catalogueSeed();
const repeated = (names: string[]): string[] => names.filter((name, index) => names.indexOf(name) !== index);

describe('catalogueSeed', () => {
  it('is valid and has the whole catalogue', () => {
    for (const model of models) seedModel.parse(model);
    for (const offer of offers) seedOffer.parse(offer);
    expect(models.length).toBe(74);
    expect(offers.length).toBeGreaterThan(480);
  });

  it('names every model, endpoint and tag once', () => {
    expect(repeated(models.map((model) => model.id))).toEqual([]);
    expect(repeated(offers.map((offer) => offer.endpointId))).toEqual([]);
    expect(repeated(offers.map((offer) => `${offer.modelId} ${offer.tag}`))).toEqual([]);
  });

  it('offers only known models, from providers that have a card', () => {
    const ids = new Set(models.map((model) => model.id));
    for (const offer of offers) {
      expect(ids).toContain(offer.modelId);
      expect(findProvider(offer.providerId)).toBeDefined();
      expect(offer.endpointId.startsWith(`${offer.providerId}:${offer.modelId}`)).toBe(true);
      expect(offer.tag.split('/')[0]).toBe(offer.providerId);
    }
  });

  it('converts published prices to pico-USD per token', () => {
    expect(offers.find((offer) => offer.endpointId === 'chutes:moonshotai/kimi-k2.6')?.price).toEqual({
      promptPicoUsdPerToken: 500_000,
      completionPicoUsdPerToken: 2_850_000,
      cacheReadPicoUsdPerToken: 50_000,
      requestNanoUsd: 0,
    });
  });

  it('never takes an unknown price for free', () => {
    expect(offers.find((offer) => offer.endpointId === 'zai:z-ai/glm-4.7-flash')?.price).toBeNull();
    for (const { price } of offers) {
      if (price === null) continue;
      expect(price.promptPicoUsdPerToken + price.completionPicoUsdPerToken).toBeGreaterThan(0);
      expect(price.cacheReadPicoUsdPerToken ?? 1).toBeGreaterThan(0);
      expect(price.cacheReadPicoUsdPerToken ?? 0).toBeLessThanOrEqual(price.promptPicoUsdPerToken);
    }
  });

  it('tells the second offer of one model by one provider apart', () => {
    expect(offers.filter((offer) => offer.providerId === 'ambient' && offer.modelId === 'z-ai/glm-5.2').map((offer) => offer.tag)).toEqual([
      'ambient',
      'ambient/fp8',
    ]);
  });
});
