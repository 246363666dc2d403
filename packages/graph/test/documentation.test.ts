import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import * as tensorPackage from '@user-llm/tensor';
import * as graphPackage from '../src/index.js';
import { operators, type Operator } from '../src/index.js';
import * as testingPackage from '../src/testing/index.js';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const readme = read('../README.md');
const guide = read('../../../docs/guides/add-an-operator.md');
const blocks = (text: string): string[] => [...text.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]!);

/** Runs TypeScript that imports these packages alone; returns what it prints. */
function run(code: string): string[] {
  const printed: string[] = [];
  const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(code, { compilerOptions: options });
  const packages: Readonly<Record<string, unknown>> = {
    '@user-llm/graph': graphPackage,
    '@user-llm/graph/testing': testingPackage,
    '@user-llm/tensor': tensorPackage,
  };
  const log = (...values: unknown[]) => printed.push(values.map((value) => inspect(value)).join(' '));
  const body = new Function('require', 'exports', 'console', outputText) as (...given: unknown[]) => void;
  body((name: string) => packages[name], {}, { log });
  return printed;
}

/** Errors of the compiler, under the repository's own options. */
function compile(code: string): string[] {
  const file = fileURLToPath(new URL('documentation-example.ts', import.meta.url));
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const base = ts.readConfigFile(`${root}tsconfig.base.json`, (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(base.config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (path) => (path === file ? code : readFile(path));
  host.fileExists = (path) => path === file || fileExists(path);
  const program = ts.createProgram([file], { ...options, noEmit: true, composite: false, incremental: false }, host);
  return ts
    .getPreEmitDiagnostics(program)
    .filter((diagnostic) => diagnostic.file?.fileName === file)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('README', () => {
  const example = blocks(readme)[0]!;

  it('has an example of ten lines that compiles and prints what it says', () => {
    const body = example
      .replace(/import \{.*?;\n/s, '')
      .split('\n')
      .filter((line) => line !== '');
    expect(body.length).toBeLessThan(11);
    expect(compile(example)).toEqual([]);
    const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
    expect(said).toHaveLength(2);
    expect(run(example)).toEqual(said);
  }, 120_000);

  it('lists the operators of the table', () => {
    const gradientOf = ({ gradient }: Operator): string =>
      gradient === undefined ? 'derived' : gradient === 'none' ? 'none' : 'rule';
    const listed = [...readme.matchAll(/^\| `(\w+)` +\| (primitive|composite) +\| (\w+) +\| \S/gm)];
    expect(listed.map(([, name, kind, gradient]) => [name, kind, gradient])).toEqual(
      Object.values(operators).map((operator: Operator) => [operator.name, operator.kind, gradientOf(operator)]),
    );
  });

  it('names only what is exported', () => {
    const api = readme.slice(readme.indexOf('## API'), readme.indexOf('## Operators'));
    const types = read('../src/index.ts');
    const names = [...api.matchAll(/^\| (.*?) +\|/gm)].flatMap(([, cell]) => [
      ...cell!.matchAll(/`([A-Za-z]+)(?:<.*?>)?`/g),
    ]);
    expect(names.length).toBeGreaterThan(30);
    expect(names.map(([, name]) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(types))).toEqual([]);
  });
});

describe('the guide to operators', () => {
  it('shows a file and a test that compile and run', () => {
    const code = blocks(guide).join('\n');
    expect(compile(code)).toEqual([]);
    run(code);
  }, 120_000);
});
