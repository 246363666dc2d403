import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { userLlmConfig } from '../src/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('names every field of the config', () => {
  const text = readme.slice(readme.indexOf('## Config'), readme.indexOf('## API'));
  expect(Object.keys(userLlmConfig.shape).filter((field) => !text.includes(`\`${field}\``))).toEqual([]);
});
