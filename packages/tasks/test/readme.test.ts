import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import * as ours from '../src/index.js';

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const readme = readFileSync(join(folder, 'README.md'), 'utf8');
const example = /```ts\n(.*?)```/s.exec(readme)![1]!;

describe('the example', () => {
  it('prints what it says', async () => {
    const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
    const printed: string[] = [];
    const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    const { outputText } = ts.transpileModule(example, { compilerOptions: options });
    const run = new Function('require', 'exports', 'console', `return (async () => {${outputText}})()`) as (
      ...given: unknown[]
    ) => Promise<void>;
    await run(() => ours, {}, { log: (...values: unknown[]) => printed.push(format(...values)) });
    expect(said).toHaveLength(1);
    expect(printed).toEqual(said);
  });

  it('compiles', () => {
    const file = join(folder, 'test', 'readme-example.ts');
    const base = ts.readConfigFile(join(folder, '../../tsconfig.base.json'), (path) => ts.sys.readFile(path));
    const { options } = ts.parseJsonConfigFileContent(base.config, ts.sys, folder);
    const ownDoor = { '@user-llm/tasks': [join(folder, 'src/index.ts')] };
    const host = ts.createCompilerHost(options);
    const { readFile, fileExists } = host;
    host.getCurrentDirectory = () => folder;
    host.readFile = (path) => (path === file ? example : readFile(path));
    host.fileExists = (path) => path === file || fileExists(path);
    const program = ts.createProgram([file], { ...options, paths: ownDoor, noEmit: true, composite: false }, host);
    const problems = ts.getPreEmitDiagnostics(program, program.getSourceFile(file));
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  }, 60_000);
});

describe('the tables', () => {
  it('name everything that the package exports', () => {
    const door = readFileSync(join(folder, 'src/index.ts'), 'utf8');
    const names = [...door.matchAll(/\{(.*?)\}/gs)]
      .flatMap((match) => match[1]!.split(','))
      .map((name) => name.replace('type ', '').trim())
      .filter((name) => name !== '');
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(readme))).toEqual([]);
  });

  it('name every error code, and no other', () => {
    const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(folder, 'src', name), 'utf8'));
    const thrown = sources.flatMap((source) =>
      [...source.matchAll(/new UserLlmError\(\s*'([a-z-]+)'/g)].map(([, code]) => code!),
    );
    const table = readme.slice(readme.indexOf('## Errors'));
    const named = [...table.matchAll(/^\| `([a-z-]+)`/gm)];
    expect(named.map(([, code]) => code).sort()).toEqual([...new Set(thrown)].sort());
  });
});
