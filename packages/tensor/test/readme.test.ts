import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const inFolder = temporaryFolder();
const load = (): Promise<Record<string, unknown>> => import('../src/index.js');
let readme = '';
let example = '';

beforeAll(async () => {
  readme = await readFile(join(folder, 'README.md'), 'utf8');
  example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
});

describe('the example', () => {
  const start = process.cwd();
  beforeAll(() => process.chdir(inFolder('')));
  afterAll(() => process.chdir(start));

  it('has ten lines at most below its import, and prints what it says', async () => {
    const lines = example.split('\n').filter((line) => line !== '' && !line.startsWith('import'));
    expect(lines.length).toBeLessThanOrEqual(10);
    const printed: string[] = [];
    const print = (...values: unknown[]) => printed.push(values.map((value) => inspect(value)).join(' '));
    const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]);
    const { outputText } = ts.transpileModule(example, { compilerOptions: { module: ts.ModuleKind.ESNext } });
    const body = outputText.replace(/^import \{(.*)\} from '@user-llm\/tensor';$/m, 'const {$1} = tensorPackage;');
    const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
    await (AsyncFunction('tensorPackage', 'console', body) as (...given: unknown[]) => Promise<void>)(await load(), {
      log: print,
    });
    expect(printed).toEqual(said);
    expect(said).toHaveLength(3);
  });

  it('compiles', () => {
    const file = join(folder, 'test', 'readme-example.ts');
    const base = ts.readConfigFile(join(folder, '../../tsconfig.base.json'), (path) => ts.sys.readFile(path));
    const { options } = ts.parseJsonConfigFileContent(base.config, ts.sys, folder);
    const host = ts.createCompilerHost(options);
    const { readFile: read, fileExists } = host;
    host.getCurrentDirectory = () => folder;
    host.readFile = (path) => (path === file ? example : read(path));
    host.fileExists = (path) => path === file || fileExists(path);
    const program = ts.createProgram([file], { ...options, noEmit: true, composite: false }, host);
    const problems = ts.getPreEmitDiagnostics(program, program.getSourceFile(file));
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  }, 30_000);
});

describe('the tables', () => {
  it('name everything that the package exports', async () => {
    const door = await readFile(join(folder, 'src/index.ts'), 'utf8');
    const types = [...door.matchAll(/\{(.*?)\}/gs)].flatMap((match) => match[1]!.split(','));
    const names = [...Object.keys(await load()), ...types.map((name) => name.replace('type ', '').trim())];
    const missing = names.filter((name) => name !== '' && !new RegExp(`\\b${name}\\b`).test(readme));
    expect(missing).toEqual([]);
  });

  it('name every error code, and no other', async () => {
    const codes = new Set<string>();
    for (const name of await readdir(join(folder, 'src'), { recursive: true })) {
      if (name.endsWith('.ts')) {
        const source = await readFile(join(folder, 'src', name), 'utf8');
        for (const [, code] of source.matchAll(/new UserLlmError\(\s*'([a-z-]+)'/g)) {
          codes.add(code!);
        }
      }
    }
    const table = readme.slice(readme.indexOf('## Errors'));
    const named = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap((row) => [...row[1]!.matchAll(/`([a-z-]+)`/g)]);
    expect(named.map(([, code]) => code).sort()).toEqual([...codes].sort());
  });
});
