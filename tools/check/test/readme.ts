import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, inspect } from 'node:util';
import ts from 'typescript';

const workspaceRoot = fileURLToPath(new URL('../../..', import.meta.url));

/** The README of a package of this workspace, with the example that it begins with. */
export interface Readme {
  /** The package's name on npm. */
  readonly name: string;
  /** The package's folder, absolute. */
  readonly folder: string;
  readonly text: string;
  readonly example: string;
}

/** Every README that has an example which prints something. */
export function readmesWithExamples(): Readme[] {
  const parents = ['packages', 'apps', 'tools'].map((parent) => join(workspaceRoot, parent));
  const folders = parents.flatMap((parent) => readdirSync(parent).map((entry) => join(parent, entry)));
  return folders.flatMap((folder) => {
    const [path, manifest] = [join(folder, 'README.md'), join(folder, 'package.json')];
    if (!existsSync(path) || !existsSync(manifest)) return [];
    const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly name: string };
    const text = readFileSync(path, 'utf8');
    const example = /```ts\n(.*?)```/s.exec(text)?.[1] ?? '';
    return saidBy(example).length > 0 ? [{ name, folder, text, example }] : [];
  });
}

/** What an example says that it prints: the comment behind each `console.log`. */
export function saidBy(example: string): string[] {
  return [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, said]) => said!);
}

/** The lines of an example that are neither imports nor empty. */
export function linesOf(example: string): string[] {
  return example
    .replace(/^import .*?;$/gms, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** What an example printed, as `console.log` shows it, and with its texts in quotes. */
export interface Printed {
  readonly plain: readonly string[];
  readonly quoted: readonly string[];
}

/** Runs an example. */
export async function printedBy(example: string): Promise<Printed> {
  const names = [...example.matchAll(/^(?:import .*?|\}) from '([^']+)';$/gms)].map(([, name]) => name!);
  const loaded = await Promise.all(
    names.map(async (name) => [name, (await import(/* @vite-ignore */ name)) as object] as const),
  );
  const packages = new Map(loaded);
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 };
  const { outputText } = ts.transpileModule(example, { compilerOptions });
  const [plain, quoted]: [string[], string[]] = [[], []];
  const log = (...values: unknown[]) => {
    plain.push(format(...values));
    quoted.push(values.map((value) => inspect(value)).join(' '));
  };
  const body = `return (async () => {${outputText}})();`;
  const run = new Function('require', 'exports', 'console', body) as (...given: unknown[]) => Promise<void>;
  await run((name: string) => packages.get(name), {}, { log });
  return { plain, quoted };
}

/** What the compiler says of examples under the repository's own options, by the packages' names. */
export function problemsOf(readmes: readonly Readme[]): ReadonlyMap<string, readonly string[]> {
  const fileOf = ({ folder }: Readme): string => join(folder, 'test', 'readme-example.ts');
  const examples = new Map(readmes.map((readme) => [fileOf(readme), readme.example]));
  const base = ts.readConfigFile(join(workspaceRoot, 'tsconfig.base.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(base.config, ts.sys, workspaceRoot);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.getCurrentDirectory = () => workspaceRoot;
  host.readFile = (path) => examples.get(path) ?? readFile(path);
  host.fileExists = (path) => examples.has(path) || fileExists(path);
  const program = ts.createProgram([...examples.keys()], { ...options, noEmit: true, composite: false }, host);
  return new Map(
    readmes.map((readme) => {
      const problems = ts.getPreEmitDiagnostics(program, program.getSourceFile(fileOf(readme)));
      return [readme.name, problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))];
    }),
  );
}

/** The names that a package exports by its door. */
export function exportedBy({ folder }: Readme): string[] {
  const door = readFileSync(join(folder, 'src/index.ts'), 'utf8');
  return [...door.matchAll(/\{(.*?)\}/gs)]
    .flatMap(([, names]) => names!.split(','))
    .map((name) => name.replace('type ', '').trim())
    .filter((name) => name !== '');
}

/** The codes of the errors that the sources of a package throw, sorted. */
export function thrownBy({ folder }: Readme): string[] {
  const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, 'src', name), 'utf8'));
  const code = /'([a-z]+(?:-[a-z]+)*)'/g;
  const codes = sources.flatMap((source) => [
    // A condition may choose between two.
    ...[...source.matchAll(/new UserLlmError\(([^{]*)\{/g)].flatMap(([, given]) => [...given!.matchAll(code)]),
    ...source.matchAll(/\bproblem\(\s*'([a-z-]+)'/g),
  ]);
  return [...new Set(codes.map(([, found]) => found!))].sort();
}

/** The codes in the table under the heading `Errors`, sorted; nothing where there is no such heading. */
export function namedErrors({ text }: Readme): string[] | undefined {
  const from = text.indexOf('## Errors');
  if (from < 0) return undefined;
  const cells = [...text.slice(from).matchAll(/^\| (`.*?) +\|/gm)].map(([, cell]) => cell!);
  return cells.flatMap((cell) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code!)).sort();
}
