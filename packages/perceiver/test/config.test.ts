import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { identityConfig, lastEventConfig, meanPoolConfig, resamplerConfig } from '../src/index.js';

describe.each(Object.entries({ identityConfig, lastEventConfig, meanPoolConfig, resamplerConfig }))(
  '%s',
  (_, schema) => {
    it('has a JSON Schema in which every field says what it means', () => {
      const { properties } = z.toJSONSchema(schema as z.ZodObject, { io: 'input' });
      expect(Object.keys(properties!)).toEqual(Object.keys(schema.shape));
      for (const field of Object.values(properties!))
        expect((field as z.core.JSONSchema.JSONSchema).description).toMatch(/\.$/);
    });

    it('takes what it gives, and needs nothing', () => {
      const defaults = schema.parse({});
      expect(schema.parse(JSON.parse(JSON.stringify(defaults)))).toEqual(defaults);
    });
  },
);
