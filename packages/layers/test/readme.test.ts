import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import * as graphPackage from '@user-llm/graph';
import * as ours from '../src/index.js';

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const readme = readFileSync(join(folder, 'README.md'), 'utf8');
const example = /```ts\n(.*?)```/s.exec(readme)![1]!;
const packages: Readonly<Record<string, object>> = {
  '@user-llm/graph': graphPackage,
  '@user-llm/layers': ours,
};

describe('the example', () => {
  it('prints what it says', () => {
    const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
    const printed: string[] = [];
    const { outputText } = ts.transpileModule(example, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
    const run = new Function('require', 'exports', 'console', outputText) as (...given: unknown[]) => void;
    run(
      (name: string) => packages[name],
      {},
      { log: (...values: unknown[]) => printed.push(values.map((value) => inspect(value)).join(' ')) },
    );
    expect(said).toHaveLength(1);
    expect(printed).toEqual(said);
  });

  it('compiles', () => {
    const file = join(folder, 'test', 'readme-example.ts');
    const base = ts.readConfigFile(join(folder, '../../tsconfig.base.json'), (path) => ts.sys.readFile(path));
    const { options } = ts.parseJsonConfigFileContent(base.config, ts.sys, folder);
    const ownDoor = { '@user-llm/layers': [join(folder, 'src/index.ts')] };
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
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(readme))).toEqual([]);
  });
});
