import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import * as userLlmPackage from '@user-llm/user-llm';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as ours from '../src/index.js';
import { tinyUserLlm } from './tiny-user-llm.js';

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const readme = readFileSync(join(folder, 'README.md'), 'utf8');
const example = /```ts\n(.*?)```/s.exec(readme)![1]!;
const packages: Readonly<Record<string, object>> = {
  '@user-llm/serving': ours,
  '@user-llm/user-llm': userLlmPackage,
};

let model: string;
beforeAll(async () => {
  model = join(mkdtempSync(join(tmpdir(), 'user-llm-readme-')), 'model');
  const userLlm = await tinyUserLlm();
  await userLlm.save(model);
  await userLlm.dispose();
});
afterAll(() => rmSync(dirname(model), { recursive: true, force: true }));

describe('the example', () => {
  it('prints what it says', async () => {
    const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
    const printed: string[] = [];
    const here = example.replace("'runs/demo/model'", JSON.stringify(model)).replace('8080', '0');
    const inFunction = `export const run = async () => {\n${here.replace(/^import .*$/gm, '')}\n};`;
    const imports = [...here.matchAll(/^import .*$/gm)].join('\n');
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 };
    const { outputText } = ts.transpileModule(`${imports}\n${inFunction}`, { compilerOptions });
    const load = new Function('require', 'exports', 'console', outputText) as (...given: unknown[]) => void;
    const exports: { run?: () => Promise<void> } = {};
    const log = (...values: unknown[]) => printed.push(values.map((value) => inspect(value)).join(' '));
    load((name: string) => packages[name], exports, { log });
    await exports.run!();
    expect(said).toHaveLength(1);
    expect(printed).toEqual(said);
  });

  it('compiles', () => {
    const file = join(folder, 'test', 'readme-example.ts');
    const base = ts.readConfigFile(join(folder, '../../tsconfig.base.json'), (path) => ts.sys.readFile(path));
    const { options } = ts.parseJsonConfigFileContent(base.config, ts.sys, folder);
    const ownDoor = { '@user-llm/serving': [join(folder, 'src/index.ts')] };
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
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(readme))).toEqual([]);
  });

  it('name every error code, and no other', () => {
    const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(folder, 'src', name), 'utf8'));
    const thrown = sources.flatMap((source) =>
      [...source.matchAll(/new UserLlmError\(\s*'([a-z-]+)'/g)].map(([, code]) => code),
    );
    const codes = new Set([...thrown, 'bad-request', 'unsupported-parameter']);
    const table = readme.slice(readme.indexOf('## Errors'));
    const named = [...table.matchAll(/^\| `([a-z-]+)`/gm)];
    expect(named.map(([, code]) => code).sort()).toEqual([...codes].sort());
  });
});
