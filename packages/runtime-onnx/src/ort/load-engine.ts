import { UserLlmError } from '@user-llm/tensor';
import { CEngine } from './c-engine.js';
import type { Engine } from './engine.js';
import { packagedLibrary } from './library.js';
import { PackageEngine } from './package-engine.js';
import { defaultParallelRuns } from './run-slots.js';

/** How an engine is chosen and loaded. */
export interface EngineOptions {
  /** Path of another ONNX Runtime library (1.17 or newer), such as a CUDA build; else the one onnxruntime-node ships. */
  readonly library?: string;
  /** `c-api` or `package` and no other; when absent the C API, and the package where that cannot be had. */
  readonly engine?: Engine['kind'];
  /** Asynchronous runs that go on at once, further ones wait; by default at most the cores, and Node's pool less one. */
  readonly parallelRuns?: number;
  /**
   * Threads that all sessions that ask for as many share, in place of some of their own; the first engine of a process
   * decides.
   */
  readonly intraOpThreads?: number;
  /** Is told once, with the reason, when the package stands in for the C API; `process.emitWarning` when absent. */
  readonly warn?: (message: string) => void;
}

/**
 * Loads ONNX Runtime; nothing of it is loaded before.
 *
 * ```ts
 * const engine = await loadEngine();
 * const session = await engine.createSession(modelBytes, { intraOpThreads: 2 });
 * const y = { dtype: 'float32', shape: [2, 3], data: new Float32Array(6) } as const;
 * await session.run({ x }, { y }); // writes y.data in place
 * const binding = session.bind({ x }, { y }); // the same for a loop: checked and prepared once
 * for (let step = 0; step < 100; step++) await binding.run();
 * await session.dispose();
 * ```
 *
 * @throws UserLlmError `no-engine` when it cannot be loaded, `old-engine` for a library that is too old.
 */
export async function loadEngine(options: EngineOptions = {}): Promise<Engine> {
  const { library, engine, parallelRuns = defaultParallelRuns(), intraOpThreads, warn = warnProcess } = options;
  if (engine === 'package') return PackageEngine.load();
  try {
    return await CEngine.load(library ?? packagedLibrary(), parallelRuns, intraOpThreads);
  } catch (error) {
    // A library or an engine that was asked for by name is not replaced behind the caller's back.
    const replaceable = engine === undefined && library === undefined && UserLlmError.isInstance(error, 'no-engine');
    if (!replaceable) throw error;
    const fallback = await PackageEngine.load();
    warn(`Running onnxruntime-node in worker threads, which copies every tensor, because ${error.message}`);
    return fallback;
  }
}

function warnProcess(message: string): void {
  process.emitWarning(message, { code: 'USER_LLM_ENGINE' });
}
