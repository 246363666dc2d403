import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  bothFusionsConfig,
  crossAttentionConfig,
  loraConfig,
  projectionConfig,
  softPromptConfig,
} from '../src/index.js';

describe.each(
  Object.entries({ bothFusionsConfig, crossAttentionConfig, loraConfig, projectionConfig, softPromptConfig }),
)('%s', (_, schema) => {
  it('has a JSON Schema in which every field says what it means', () => {
    const { properties } = z.toJSONSchema(schema, { io: 'input' });
    expect(Object.keys(properties!)).toEqual(Object.keys(schema.shape));
    for (const field of Object.values(properties!))
      expect((field as z.core.JSONSchema.JSONSchema).description).toMatch(/\.$/);
  });

  it('takes what it gives, and needs nothing', () => {
    const defaults = schema.parse({});
    expect(schema.parse(JSON.parse(JSON.stringify(defaults)))).toEqual(defaults);
  });
});
