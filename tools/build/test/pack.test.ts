import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildStale } from '../launch.mjs';
import { workspacePackages, workspaceRoot } from '../workspace.mjs';

const run = promisify(execFile);
const packed = ['tensor', 'graph', 'plugin', 'optimizers', 'runtime-onnx'];

/** Plain JavaScript, as a user would write it who has only the tarballs. */
const program = `
import { input, matmul, mean, square, subtract, trainStepGraphs } from '@user-llm/graph';
import { adam } from '@user-llm/optimizers';
import '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random, tensor } from '@user-llm/tensor';

const x = input('x', 'float32', ['user', 'width'], [4, 2]);
const y = input('y', 'float32', ['user', 'score'], [4, 1]);
const w = input('w', 'float32', ['width', 'score'], [2, 1]);
const loss = mean(square(subtract(matmul(x, w), y)));
const optimizer = adam({ learningRate: 0.1 });
const { fused, init, carry } = trainStepGraphs({ inputs: [x, y, w], loss, parameters: { w }, optimizer });
const drawn = Random.fromSeed(1).normal(2);
const start = { w: tensor('float32', ['width', 'score'], [[drawn[0]], [drawn[1]]]) };
const runtime = await OnnxRuntime.create();
const starting = await (await runtime.compile(init)).run(start);
const initial = { ...start };
for (const [name, value] of Object.entries(starting)) initial[name] = await value.read();
const step = await runtime.compileTrainStep(fused, { carry, initial });
const users = tensor('float32', ['user', 'width'], [[1, 0], [0, 1], [1, 1], [2, 1]]);
const scores = tensor('float32', ['user', 'score'], [[2], [-3], [-1], [1]]);
for (let at = 0; at < 400; at++) {
  for (const value of Object.values(await step.run({ x: users, y: scores }))) value.dispose();
}
const learned = await step.state.w.read();
console.log(JSON.stringify([learned.at(0, 0), learned.at(1, 0)]));
`;

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'user-llm-pack-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('packages packed and installed elsewhere train a model from plain JavaScript', async () => {
  const packages = workspacePackages();
  const sources = packed.map((short) => packages.get(`@user-llm/${short}`)!);
  for (const { name } of sources) await buildStale(workspaceRoot, name);
  const projects = sources.map(({ folder: source }) => join(source, 'tsconfig.lib.json'));
  // Declarations are wanted here; whether the types are right is another check's.
  await run(process.execPath, [compiler, '-b', '--noCheck', ...projects]);
  const places = sources.map(({ folder: source }) => source);
  const { stdout: made } = await npm(['pack', '--json', '--pack-destination', folder, ...places], workspaceRoot);
  const tarballs = JSON.parse(made) as { filename: string; files: { path: string }[] }[];
  expect(tarballs).toHaveLength(packed.length);
  for (const tarball of tarballs) {
    const files = tarball.files.map(({ path }) => path);
    expect(files).toEqual(expect.arrayContaining(['README.md', 'dist/index.js', 'dist/index.d.ts']));
    expect(files.filter((path) => /^(src|test)\/|tsbuildinfo/.test(path))).toEqual([]);
  }
  // The script that ONNXRUNTIME_NODE_INSTALL=skip is for; newer npm runs none that is not allowed.
  const allowed = { allowScripts: { 'onnxruntime-node': true } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', ...allowed }));
  writeFileSync(join(folder, 'train.js'), program);
  const names = tarballs.map(({ filename }) => `./${filename}`);
  await npm(['install', '--ignore-scripts=false', '--no-audit', '--no-fund', '--prefer-offline', ...names], folder);
  const { stdout } = await run(process.execPath, ['train.js'], { cwd: folder });
  const [first, second] = JSON.parse(stdout) as [number, number];
  expect(first).toBeCloseTo(2, 2);
  expect(second).toBeCloseTo(-3, 2);
});

/** npm, without what `npm test` has told this process about the workspace. */
function npm(args: string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('npm_') || name === 'npm_execpath'),
  );
  return run('npm', args, {
    cwd,
    env: { ...environment, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === 'win32',
  });
}
