import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import * as graphPackage from '@user-llm/graph';
import * as tensorPackage from '@user-llm/tensor';
import ts from 'typescript';
import { beforeAll, expect, test } from 'vitest';
import * as runtimePackage from '../src/index.js';

const packages: Record<string, unknown> = {
  '@user-llm/graph': graphPackage,
  '@user-llm/runtime-onnx': runtimePackage,
  '@user-llm/tensor': tensorPackage,
};
let readme = '';
let example = '';

beforeAll(async () => {
  readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
});

test('the example has about ten lines below its imports, and prints what it says', async () => {
  const lines = example.split('\n').filter((line) => line !== '' && !line.startsWith('import'));
  expect(lines.length).toBeLessThanOrEqual(10);
  const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
  expect(said).toHaveLength(1);
  const { outputText } = ts.transpileModule(example, {
    compilerOptions: { module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  });
  const body = outputText.replace(/^import (\{.*\}) from ('.*');$/gm, 'const $1 = packages[$2];');
  expect(body).not.toMatch(/^import/m);
  const printed: string[] = [];
  const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
  const run = AsyncFunction('packages', 'console', body) as (...given: unknown[]) => Promise<void>;
  await run(packages, {
    log: (...values: unknown[]) => printed.push(values.map((value) => inspect(value)).join(' ')),
  });
  expect(printed).toEqual(said);
});

test('the tables name everything that the package exports', async () => {
  const door = await readFile(new URL('../src/index.ts', import.meta.url), 'utf8');
  const exported = [...door.matchAll(/\{(.*?)\}/gs)].flatMap((match) => match[1]!.split(','));
  const names = exported.map((name) => name.replace('type ', '').trim()).filter((name) => name !== '');
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !readme.includes(name))).toEqual([]);
});
