import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodePrompt, idsOf } from '../src/index.js';
import { history, smallConfig, smallModel, textTokenizer } from './world.js';

let runtime: OnnxRuntime;
let folder: string;
beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  folder = await mkdtemp(join(tmpdir(), 'user-llm-export-'));
});
afterAll(async () => {
  await runtime.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the files by plain onnxruntime-node in a process of its own. */
function runPlainly(path: string, asked: unknown): Promise<{ answers: number[][]; ranked: (number | null)[][] }> {
  // The package is a dependency of the runtime's alone.
  const ort = createRequire(new URL('../../runtime-onnx/package.json', import.meta.url)).resolve('onnxruntime-node');
  const script = fileURLToPath(new URL('plain-onnxruntime.cjs', import.meta.url));
  const child = spawn(process.execPath, [script, ort, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(asked));
  let output = '';
  child.stdout.on('data', (part: Buffer) => (output += part.toString()));
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as Awaited<ReturnType<typeof runPlainly>>);
      else reject(new Error(`ended with ${code}`));
    });
  });
}

it.each(['cross-attention', 'both'])(
  'files with the fusion %s answer and rank in plain onnxruntime',
  async (name) => {
    const model = await smallModel({ runtime, config: smallConfig({ fusion: { name, config: {} } }) });
    const path = join(folder, name);
    await model.exportOnnx(path);
    await model.exportOnnx(path);
    expect((await readdir(folder)).filter((file) => file.startsWith('.'))).toEqual([]);
    const users = [history('a', [1, 2, 3]), history('b', [6, 7, 0, 1, 2, 3, 4]), []];
    const prompts = ['What comes next?', 'Which genre does this user like best?', 'What?'];
    const ids = users.map((events) => {
      const { length, columns } = idsOf(model.parts.eventTokenizer, events, model.model.maximumEvents);
      return {
        length,
        columns: Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, [...column]])),
      };
    });
    const count = 6;
    const tokens = prompts.map((prompt) => encodePrompt(textTokenizer, prompt));
    const { answers, ranked } = await runPlainly(path, { ids, prompts: tokens, count });
    const own = await model.answers(prompts.map((prompt, at) => ({ prompt, user: users[at]!, maximumTokens: count })));
    answers.forEach((answer, at) => {
      const end = answer.indexOf(textTokenizer.end);
      expect(textTokenizer.decode(end < 0 ? answer : answer.slice(0, end)).trim()).toBe(own[at]);
    });
    const scores = await model.itemScores(users);
    ranked.forEach((row, user) => row.forEach((score, at) => expect(score).toBeCloseTo(scores[user]![at]!, 4)));
    await model.dispose();
  },
  120_000,
);
