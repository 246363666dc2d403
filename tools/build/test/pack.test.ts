import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildStale } from '../launch.mjs';
import { workspacePackages, workspaceRoot } from '../workspace.mjs';

const run = promisify(execFile);
const packed = ['tensor', 'graph', 'plugin', 'optimizers', 'runtime-onnx', 'runtime-tfjs'];

/** Plain JavaScript, as a user would write it who has only the tarballs. */
const program = `
import { gradients, graph, input, matmul, mean, multiply, square, subtract } from '@user-llm/graph';
import { TfjsRuntime } from '@user-llm/runtime-tfjs';
import { Random, tensor } from '@user-llm/tensor';
import '@user-llm/optimizers';
import '@user-llm/plugin';
import '@user-llm/runtime-onnx';

const x = input('x', 'float32', ['user', 'width'], [4, 2]);
const y = input('y', 'float32', ['user', 'score'], [4, 1]);
const w = input('w', 'float32', ['width', 'score'], [2, 1]);
const loss = mean(square(subtract(matmul(x, w), y)));
const next = subtract(w, multiply(gradients(loss, { w }).w, 0.1));
const runtime = await TfjsRuntime.create({ engine: 'wasm' });
const drawn = Random.fromSeed(1).normal(2);
const initial = { w: tensor('float32', ['width', 'score'], [[drawn[0]], [drawn[1]]]) };
const step = await runtime.compileTrainStep(graph([x, y, w], { loss, next }), { carry: { w: 'next' }, initial });
const users = tensor('float32', ['user', 'width'], [[1, 0], [0, 1], [1, 1], [2, 1]]);
const scores = tensor('float32', ['user', 'score'], [[2], [-3], [-1], [1]]);
for (let at = 0; at < 300; at++) (await step.run({ x: users, y: scores })).loss.dispose();
const learned = await step.state.w.read();
console.log(JSON.stringify([learned.at(0, 0), learned.at(1, 0)]));
process.exit(0);
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'user-llm-pack-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('packages packed and installed elsewhere train a model from plain JavaScript', async () => {
  const packages = workspacePackages();
  const tarballs: string[] = [];
  for (const short of packed) {
    const { name, folder: source } = packages.get(`@user-llm/${short}`)!;
    await buildStale(workspaceRoot, name);
    const args = ['pack', '--json', '--pack-destination', folder];
    const [tarball] = JSON.parse((await npm(args, source)).stdout) as { filename: string; files: { path: string }[] }[];
    const files = tarball!.files.map(({ path }) => path);
    expect(files).toContain('dist/index.js');
    expect(files.filter((path) => /^(src|test)\/|tsbuildinfo/.test(path))).toEqual([]);
    tarballs.push(`./${tarball!.filename}`);
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  writeFileSync(join(folder, 'train.js'), program);
  await npm(['install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs], folder);
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
