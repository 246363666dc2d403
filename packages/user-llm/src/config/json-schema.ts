import type { Registry, SeamName, Seams } from '@user-llm/plugin';
import { z } from 'zod';
import { userLlmConfig } from './user-llm-config.js';

/** Where a config names a part of a seam. */
const choices = {
  encoder: 'encoders',
  compressor: 'compressors',
  fusion: 'fusions',
  llm: 'llms',
} as const satisfies Record<string, SeamName>;

type Schema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (2020-12) of a config as it is written, for editors and other languages.
 *
 * @param registry Its parts' own configs are described too, where they are zod schemas; any part is allowed when absent.
 */
export function userLlmJsonSchema(registry?: Registry): Schema {
  const schema = z.toJSONSchema(userLlmConfig, { io: 'input' });
  if (!registry) return schema;
  const properties = { ...(schema.properties as Readonly<Record<string, Schema>>) };
  for (const [field, seam] of Object.entries(choices)) {
    const { description, default: usual } = properties[field]!;
    const parts = [...registry.all(seam).values()].map(partSchema);
    properties[field] = { description, ...(usual !== undefined && { default: usual }), anyOf: parts };
  }
  return { ...schema, properties };
}

/** A part's name, and its config. */
function partSchema({ name, config }: Seams[(typeof choices)[keyof typeof choices]]): Schema {
  const own = config instanceof z.ZodType ? z.toJSONSchema(config, { io: 'input' }) : { type: 'object' };
  const { $schema: _, ...described } = own as Schema & { readonly $schema?: unknown };
  return {
    type: 'object',
    properties: {
      name: { const: name, description: 'Which part.' },
      config: { ...described, description: "The part's own config." },
    },
    required: ['name'],
    additionalProperties: false,
  };
}
