import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';
import type { Engine } from './engine.js';
import { withThreadedWasm } from './wasm-threads.js';

/** More workers than this are never made: the pool of the WebAssembly build has eight. */
const mostThreads = 8;

/**
 * Starts the WebAssembly kernels, with SIMD and threads.
 *
 * @param threads Threads of one kernel, 1 to 8; as many as the machine runs at once, up to 8, when absent.
 * @throws UserLlmError `engine-cannot-start` when the WebAssembly module does not load.
 */
export async function startWasm(threads: number | undefined): Promise<Engine> {
  const wanted = Math.min(threads ?? availableParallelism(), mostThreads);
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  const tf = await import('@tensorflow/tfjs-core');
  const { setThreadsCount, setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(join(folder, 'dist') + sep);
  setThreadsCount(wanted);
  const initialize = () => tf.setBackend('wasm');
  const started = await withoutExitHandlers(() =>
    wanted === 1 ? initialize() : withThreadedWasm(tf, folder, wanted, initialize),
  );
  if (!started) {
    throw new UserLlmError('engine-cannot-start', {
      what: '@tensorflow/tfjs-backend-wasm',
      expected: 'a WebAssembly module that loads',
      got: 'a failure, which TensorFlow.js has logged',
      mend: 'Reinstall the package, or pass { threads: 1 } to do without workers.',
    });
  }
  return { name: 'wasm', backend: 'wasm', tf, threads: wanted };
}

/**
 * Calls `body` and removes the process-wide handlers of errors that its compiled code installs: they would turn
 * every unhandled rejection of the program into an exception.
 */
async function withoutExitHandlers<T>(body: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set<unknown>(process.listeners(event as 'uncaughtException')));
  try {
    return await body();
  } finally {
    events.forEach((event, index) => {
      for (const listener of process.listeners(event as 'uncaughtException')) {
        if (!before[index]!.has(listener)) process.removeListener(event, listener);
      }
    });
  }
}
