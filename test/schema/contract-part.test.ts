import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { chatRequest } from '#schema/chat';
import { completionRequest } from '#schema/completions';
import { contractPart } from '#schema/contract-part';
import { messagesRequest } from '#schema/messages';
import { responsesRequest } from '#schema/responses';
import { embeddingsRequest } from '#schema/units/embeddings';

const VALUES = [null, true, '', 'auto', 'qwen/qwen3-8b', 0, 1, -1, 0.5, [], ['a'], {}, { type: 'text' }, [{ role: 'user', content: 'Hi' }]];

const CONTRACTS = {
  chat: { contract: chatRequest, valid: { model: 'm', messages: [{ role: 'user', content: 'Hi' }] } },
  completions: { contract: completionRequest, valid: { model: 'm', prompt: 'Hi' } },
  messages: { contract: messagesRequest, valid: { model: 'm', max_tokens: 8, messages: [{ role: 'user', content: 'Hi' }] } },
  responses: { contract: responsesRequest, valid: { model: 'm', input: 'Hi' } },
  embeddings: { contract: embeddingsRequest, valid: { model: 'm', input: 'Hi' } },
};

function fieldsOf(contract: z.ZodType): string[] {
  return contract instanceof z.ZodObject ? Object.keys(contract.shape) : [];
}

/** What reading comes to, the order of its keys and of its issues included. */
function readBy(contract: z.ZodType, body: object): string {
  const { data, error } = contract.safeParse(structuredClone(body));
  return JSON.stringify([data, error?.issues]);
}

describe('the part of a contract that a body is read by', () => {
  it.each(Object.entries(CONTRACTS))('reads any body of %s as the whole contract does', (_name, { contract, valid }) => {
    const names = fc.constantFrom(...fieldsOf(contract), 'unknown_field');
    const changes = fc.dictionary(names, fc.constantFrom(...VALUES), { maxKeys: 5 });
    const left = fc.subarray(Object.keys(valid));
    fc.assert(
      fc.property(changes, left, fc.boolean(), (changed, kept, isWhole) => {
        const begun = isWhole ? valid : Object.fromEntries(Object.entries(valid).filter(([name]) => kept.includes(name)));
        const body = { ...begun, ...changed };
        expect(readBy(contractPart(contract, body), body)).toBe(readBy(contract, body));
      }),
      { seed: 6, numRuns: 300 },
    );
  });

  it('leaves out what the body lacks', () => {
    const part = contractPart(chatRequest, CONTRACTS.chat.valid);
    expect(fieldsOf(part)).toEqual(expect.arrayContaining(['model', 'messages']));
    expect(fieldsOf(part).length).toBeLessThan(fieldsOf(chatRequest).length / 4);
  });

  it('keeps fields whose absence says something', () => {
    const contract = z.object({
      size: z.int().default(3),
      name: z
        .string()
        .optional()
        .transform((name) => name ?? 'nobody'),
      colour: z.string().optional(),
    });
    const part = contractPart(contract, {});
    expect(fieldsOf(part)).toEqual(['size', 'name']);
    expect(part.parse({})).toEqual({ size: 3, name: 'nobody' });
  });

  it('lets strict contracts refuse what they do not know', () => {
    const strict = z.strictObject({ name: z.string().optional(), colour: z.string().optional() });
    expect(contractPart(strict, { age: 1 }).safeParse({ age: 1 }).success).toBe(false);
  });

  it('remembers 64 kinds of bodies and reads further ones by the whole contract', () => {
    const names = Array.from({ length: 80 }, (_, place) => `f${place}`);
    const contract = z.object(Object.fromEntries(names.map((name) => [name, z.string().optional()])));
    const parts = names.map((name) => contractPart(contract, { [name]: 'x' }));
    expect(parts.filter((part) => part !== contract)).toHaveLength(64);
    expect(contractPart(contract, { f0: 'y' })).toBe(parts[0]);
    expect(parts.at(-1)).toBe(contract);
  });
});
