import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What a fresh process loads for one import: the addresses of its modules and how many native add-ons. */
async function loadedBy(specifier: string, from: string): Promise<{ modules: string[]; addons: number }> {
  const file = join(folder, 'loaded.txt');
  writeFileSync(file, '');
  const program = `
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
let addons = 0;
const load = process.dlopen;
process.dlopen = (...args) => { addons += 1; return load.apply(process, args); };
register(pathToFileURL(${JSON.stringify(join(folder, 'hooks.mjs'))}), { data: { file: ${JSON.stringify(file)} } });
await import(${JSON.stringify(specifier)});
console.log(addons);
process.exit(0);
`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: from });
  return { modules: readFileSync(file, 'utf8').trim().split('\n'), addons: Number(stdout) };
}

it.each(libraries.map(({ name, folder: from }) => ({ name, from })))(
  'importing $name loads no engine and no native add-on',
  async ({ name, from }) => {
    const { modules, addons } = await loadedBy(name, from);
    expect(modules.some((url) => url.endsWith('/dist/index.js'))).toBe(true);
    expect(modules.filter((url) => engine.test(url))).toEqual([]);
    expect(addons).toBe(0);
  },
);

it('would notice one', async () => {
  const { modules, addons } = await loadedBy('onnxruntime-node', join(workspaceRoot, 'packages/runtime-onnx'));
  expect(modules.filter((url) => engine.test(url))).not.toEqual([]);
  expect(addons).toBe(1);
});
