import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { manifest } from '#schema/manifest';

const file = path.resolve(import.meta.dirname, '../../schema/manifest.schema.json');

describe('the published JSON Schema', () => {
  it('is what the contract generates', () => {
    const { $schema: _published, ...published } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const { $schema: _generated, ...generated } = z.toJSONSchema(manifest, {
      io: 'input',
      target: 'draft-2020-12',
      unrepresentable: 'any',
    });
    expect(published).toEqual(JSON.parse(JSON.stringify(generated)));
  });

  it('is as strict as the contract', () => {
    expect(readFileSync(file, 'utf8')).toContain('"additionalProperties": false');
  });
});
