import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckpointStore } from '../src/index.js';
import { bitsOf, testFolder, testRuntime, trainSmall } from './support.js';

const folder = testFolder();
const runtime = testRuntime();
// Inside the package, so that the bundle finds its dependencies.
const bundle = join(dirname(dirname(fileURLToPath(import.meta.url))), 'out-tsc', `killed-${process.pid}`);
const steps = 12;

beforeAll(async () => {
  const conditions = ['@user-llm/source'];
  await build({
    logLevel: 'silent',
    configFile: false,
    build: { ssr: fileURLToPath(new URL('killed-trainer.ts', import.meta.url)), outDir: bundle, minify: false },
    resolve: { conditions },
    ssr: { noExternal: [/^@user-llm\//], resolve: { conditions } },
  });
}, 60_000);

afterAll(() => {
  rmSync(bundle, { recursive: true, force: true });
});

/** Runs the trainer until it is in the middle of writing the checkpoint of a step, kills it, and says how it ended. */
function runUntil(place: string, step: number): Promise<string> {
  const child = spawn(process.execPath, [join(bundle, 'killed-trainer.js'), place, `${steps}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.includes(`writing ${step}\n`)) child.kill('SIGKILL');
  });
  return new Promise((resolve) =>
    child.once('exit', (_, signal) => resolve(signal ?? output.trim().split('\n').at(-1)!)),
  );
}

describe('a training that is killed while it writes a checkpoint', () => {
  it('goes on from the checkpoint before, and ends with the bits of one that never was', async () => {
    const place = join(folder, 'killed');
    mkdirSync(place, { recursive: true });
    for (const step of [1, 4, 5, 9]) {
      expect(await runUntil(place, step)).toBe('SIGKILL');
      const last = await new CheckpointStore(place, 'config').load('last');
      expect(last?.place.step ?? 0).toBeLessThan(step);
      expect(last?.place.step ?? 0).toBeGreaterThanOrEqual(step - 2);
    }
    expect(await runUntil(place, steps + 1)).toBe('done');
    const whole = await trainSmall(await runtime(), join(folder, 'whole'), { budget: { steps } });
    const last = await new CheckpointStore(place, 'config').load('last');
    expect(bitsOf(last!.parameters)).toEqual(bitsOf(whole.parameters));
  }, 60_000);
});
