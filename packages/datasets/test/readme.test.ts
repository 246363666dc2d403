import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import * as ours from '../src/index.js';
import { testFolder } from './support.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('has an example that prints what it says', async () => {
  const example = /```ts\n(.*?)```/s.exec(readme)![1]!.replaceAll('data/world', join(testFolder(), 'world'));
  const said = /console\.log\(.*\); \/\/ (.*)$/m.exec(example)![1];
  const { outputText } = ts.transpileModule(example, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
  const printed: string[] = [];
  const awaiting = `return (async () => {${outputText}})();`;
  const run = new Function('require', 'exports', 'console', awaiting) as (...given: unknown[]) => Promise<void>;
  await run(() => ours, {}, { log: (...values: unknown[]) => printed.push(values.join(' ')) });
  expect(printed).toEqual([said]);
});

it('names everything that the package exports', () => {
  const door = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8');
  const names = [...door.matchAll(/\{(.*?)\}/gs)]
    .flatMap((match) => match[1]!.split(','))
    .map((name) => name.replace('type ', '').trim())
    .filter((name) => name !== '');
  expect(names.length).toBeGreaterThan(25);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(readme))).toEqual([]);
});
