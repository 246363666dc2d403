import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { TensorFlow } from './engine.js';

/**
 * Runs `initialize` such that the WebAssembly backend starts with `threads` threads under Node.js.
 *
 * TensorFlow.js has a threaded build but switches it off in Node.js, for three reasons that are mended here for as
 * long as it starts, and only then:
 * - it makes workers from `blob:` addresses, which Node.js's workers refuse: the address is replaced by a `data:`
 *   module that loads the package's own worker script;
 * - it takes half of the processors it counts as the upper limit of threads: it is shown twice as many as are wanted;
 * - the feature flag is off: it is set.
 *
 * @param folder Of the package `@tensorflow/tfjs-backend-wasm`.
 */
export async function withThreadedWasm<T>(
  tf: TensorFlow,
  folder: string,
  threads: number,
  initialize: () => Promise<T>,
): Promise<T> {
  const os = createRequire(import.meta.url)('node:os') as typeof import('node:os');
  const { createObjectURL } = URL;
  const { cpus } = os;
  const worker = new URL(`data:text/javascript,${encodeURIComponent(workerSource(folder))}`);
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true);
  // A worker takes a URL object where it refuses the same address as text.
  URL.createObjectURL = () => worker as unknown as string;
  os.cpus = () => Array.from({ length: 2 * threads }, () => cpus()[0]!);
  try {
    const result = await initialize();
    releaseWorkers(tf);
    return result;
  } finally {
    URL.createObjectURL = createObjectURL;
    os.cpus = cpus;
  }
}

/** What Emscripten knows of its threads. */
interface ThreadedModule {
  readonly wasm?: { readonly PThread?: Record<'unusedWorkers' | 'runningWorkers', readonly Worker[]> };
}

/** Lets the process end while the workers wait for work; they would keep it alive otherwise. */
function releaseWorkers(tf: TensorFlow): void {
  const threads = (tf.findBackend('wasm') as ThreadedModule | null)?.wasm?.PThread;
  [...(threads?.unusedWorkers ?? []), ...(threads?.runningWorkers ?? [])].forEach((worker) => worker.unref());
}

/** A module that becomes the package's worker: its script expects CommonJS, and reads the main script from a path. */
function workerSource(folder: string): string {
  const script = JSON.stringify(join(folder, 'wasm-out', 'tfjs-backend-wasm-threaded-simd.js'));
  return `
    import { createRequire } from 'node:module';
    globalThis.__filename = ${script};
    globalThis.require = createRequire(${script});
    URL.createObjectURL = () => ${script};
    URL.revokeObjectURL = () => {};
    const { wasmWorkerContents } = require('./tfjs-backend-wasm-threaded-simd.worker.js');
    (0, eval)(wasmWorkerContents.replace(/\\n/g, '\\\\n'));
  `;
}
