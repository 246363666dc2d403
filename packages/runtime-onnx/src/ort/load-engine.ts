import { CEngine } from './c-engine.js';
import type { Engine } from './engine.js';
import { packagedLibrary } from './library.js';
import { defaultParallelRuns } from './run-slots.js';

/** How an engine is chosen and loaded. */
export interface EngineOptions {
  /** Path of another ONNX Runtime library (1.12 or newer), such as a CUDA build; else the one onnxruntime-node ships. */
  readonly library?: string;
  /** Asynchronous runs that go on at once, further ones wait; by default at most the cores, and Node's pool less one. */
  readonly parallelRuns?: number;
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
  return CEngine.load(options.library ?? packagedLibrary(), options.parallelRuns ?? defaultParallelRuns());
}
