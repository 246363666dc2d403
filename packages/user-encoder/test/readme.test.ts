import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { autoregressiveConfig, bert4recConfig, dualConfig } from '../src/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const configs = [autoregressiveConfig, bert4recConfig, dualConfig];

it('names every field of the configs', () => {
  const text = readme.slice(readme.indexOf('## Config'), readme.indexOf('## API'));
  const fields = new Set(configs.flatMap(({ shape }) => Object.keys(shape)));
  expect([...fields].filter((field) => !text.includes(`\`${field}\``))).toEqual([]);
});

it('is not needed in editors: JSON Schema describes every field', () => {
  for (const config of configs) {
    const { properties = {} } = z.toJSONSchema(config, { io: 'input' });
    for (const [name, schema] of Object.entries(properties)) {
      expect((schema as { readonly description?: string }).description, name).toMatch(/\.$/);
    }
  }
});
