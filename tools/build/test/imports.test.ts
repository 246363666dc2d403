import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildStale } from '../launch.mjs';
import { workspacePackages, workspaceRoot } from '../workspace.mjs';

const run = promisify(execFile);
const libraries = [...workspacePackages().values()].filter(({ path }) => path.startsWith('packages/'));
const engine = /node_modules\/(koffi|onnxruntime-node|onnxruntime-common|@tensorflow|@duckdb|@?chdb|lmdb)\//;

let folder: string;
let loaded: ReadonlyMap<string, Loaded>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'user-llm-imports-'));
  writeFileSync(
    join(folder, 'hooks.mjs'),
    `import { appendFileSync } from 'node:fs';
let file;
export function initialize(data) { file = data.file; }
export async function resolve(specifier, context, next) {
  const resolved = await next(specifier, context);
  appendFileSync(file, resolved.url + '\\n');
  return resolved;
}
`,
  );
  for (const { name } of libraries) await buildStale(workspaceRoot, name);
  loaded = await loadedBy(
    libraries.map(({ name }) => name),
    workspaceRoot,
  );
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What importing one package has loaded: the addresses of modules, and how many native add-ons. */
interface Loaded {
  readonly modules: readonly string[];
  readonly addons: number;
}

/** What a fresh process loads for some imports, one after the other, by their names. */
async function loadedBy(specifiers: readonly string[], from: string): Promise<ReadonlyMap<string, Loaded>> {
  const file = join(folder, 'loaded.txt');
  const program = `
import { readFileSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
const file = ${JSON.stringify(file)};
let addons = 0;
const load = process.dlopen;
process.dlopen = (...args) => { addons += 1; return load.apply(process, args); };
register(pathToFileURL(${JSON.stringify(join(folder, 'hooks.mjs'))}), { data: { file } });
const loaded = [];
for (const specifier of ${JSON.stringify(specifiers)}) {
  writeFileSync(file, '');
  addons = 0;
  await import(specifier);
  loaded.push([specifier, { modules: readFileSync(file, 'utf8').trim().split('\\n'), addons }]);
}
console.log(JSON.stringify(loaded));
process.exit(0);
`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: from,
    maxBuffer: 64 * 1024 * 1024,
  });
  return new Map(JSON.parse(stdout) as [string, Loaded][]);
}

// In one process: what a package loads by itself is a part of what it and those before it have loaded.
it.each(libraries)('importing $name loads no engine and no native add-on', ({ name, path }) => {
  const { modules, addons } = loaded.get(name)!;
  expect(modules.some((url) => url.endsWith(`/${path}/dist/index.js`))).toBe(true);
  expect(modules.filter((url) => engine.test(url))).toEqual([]);
  expect(addons).toBe(0);
});

it('would notice one', async () => {
  const engines = await loadedBy(['onnxruntime-node'], join(workspaceRoot, 'packages/runtime-onnx'));
  const { modules, addons } = engines.get('onnxruntime-node')!;
  expect(modules.filter((url) => engine.test(url))).not.toEqual([]);
  expect(addons).toBe(1);
});
