import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, it } from 'vitest';
import * as ours from '../src/index.js';
import { seamNames } from '../src/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('has an example that prints what it says', () => {
  const example = /```ts\n(.*?)```/s.exec(readme)![1]!;
  const said = /console\.log\(.*\); \/\/ (.*)$/m.exec(example)![1];
  const { outputText } = ts.transpileModule(example, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
  const printed: string[] = [];
  const run = new Function('require', 'exports', 'console', outputText) as (...given: unknown[]) => void;
  run(() => ours, {}, { log: (value: string) => printed.push(value) });
  expect(printed).toEqual([said]);
});

it('has a row for every seam', () => {
  const rows = [...readme.matchAll(/^\| `(\w+)` +\|/gm)].map((match) => match[1]);
  expect(rows).toEqual(seamNames);
});
