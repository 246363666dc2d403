import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { seamNames } from '../src/index.js';
import * as testing from '../src/testing/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const rows = [...readme.matchAll(/^\| `(\w+)` +\|.*\|(.*)\|$/gm)];

it('has a row for every seam', () => {
  expect(rows.map(([, seam]) => seam)).toEqual(seamNames);
});

it('names every conformance suite beside its seam', () => {
  const suites = Object.keys(testing).filter((name) => name.endsWith('Checks'));
  const named = rows.flatMap(([, , suite]) => [...suite!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
  expect(suites.filter((suite) => !named.includes(suite))).toEqual([]);
});
