import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'tsup';

/** The worker of prefetching as one script, made of the sources, and one that is killed half-way. */
export interface TestWorkers {
  readonly whole: URL;
  /** Ends without a word once so many batches were taken. */
  killedAfter(batches: number): Promise<URL>;
  dispose(): Promise<void>;
}

/** Bundles the worker: a worker thread runs JavaScript, and tests run before anything is built. */
export async function testWorkers(): Promise<TestWorkers> {
  const folder = await mkdtemp(join(tmpdir(), 'user-llm-worker-'));
  await build({
    entry: [fileURLToPath(new URL('../../src/prefetch-worker.ts', import.meta.url))],
    outDir: folder,
    outExtension: () => ({ js: '.mjs' }),
    format: 'esm',
    target: 'node20',
    noExternal: [/./],
    config: false,
    silent: true,
    esbuildOptions: (options) => {
      options.conditions = ['@user-llm/source'];
    },
  });
  const whole = pathToFileURL(join(folder, 'prefetch-worker.mjs'));
  return {
    whole,
    killedAfter: async (batches) => {
      const script = join(folder, `killed-after-${batches}.mjs`);
      await writeFile(
        script,
        `import { parentPort } from 'node:worker_threads';
         let taken = 0;
         parentPort.on('message', () => ++taken === ${batches} && process.exit(1));
         await import(${JSON.stringify(whole.href)});`,
      );
      return pathToFileURL(script);
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}
