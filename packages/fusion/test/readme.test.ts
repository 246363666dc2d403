import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { crossAttentionConfig, loraConfig } from '../src/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it.each([
  ['### Config of `cross-attention`', crossAttentionConfig],
  ['### Config of LoRA', loraConfig],
])('%s names every field, and no other', (heading, { shape }) => {
  const section = readme.slice(readme.indexOf(heading) + heading.length).split('\n#')[0]!;
  expect([...section.matchAll(/^\| `(\w+)`/gm)].map(([, field]) => field)).toEqual(Object.keys(shape));
});
