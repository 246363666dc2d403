import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { resamplerConfig } from '../src/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('names every field of the config, and no other', () => {
  const table = readme.slice(readme.indexOf('## Config'), readme.indexOf('## API'));
  expect([...table.matchAll(/^\| `(\w+)`/gm)].map(([, field]) => field)).toEqual(Object.keys(resamplerConfig.shape));
});
