import type { BaseDType, TypedArray } from '@user-llm/tensor';
import type { ProviderChoice } from './providers.js';
import type { SharedWeights } from './shared-weights.js';

/**
 * A tensor at the engine's door: a dtype, a shape, and the elements in memory that the caller owns.
 *
 * `data` holds exactly the shape's elements, row-major; it may be a view into a larger buffer, and its buffer may be
 * a `SharedArrayBuffer`. As an input it is only read. As an output it is written in place.
 */
export interface HostTensor {
  readonly dtype: BaseDType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** An input or output of a model; a size that is known only at run time is its name, or an empty text. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: BaseDType;
  readonly shape: readonly (number | string)[];
}

/** Tensors by input name. */
export type Feeds = Readonly<Record<string, HostTensor>>;

/**
 * What a run returns, by output name: a tensor is written in place, `null` lets the engine allocate (for outputs
 * whose size only the run tells). Outputs that are not named are not computed if nothing else needs them.
 */
export type Fetches = Readonly<Record<string, HostTensor | null>>;

/** The tensors of a run by output name: the caller's own where given, new ones where `null` was. */
export type Results = Readonly<Record<string, HostTensor>>;

/** How one run goes. */
export interface RunOptions {
  /** Ends the run early: it rejects with `aborted`, and the outputs' contents are then undefined. */
  readonly signal?: AbortSignal;
}

/** How hard ONNX Runtime rewrites the graph before it runs; `all` is the default. */
export type GraphOptimization = 'none' | 'basic' | 'extended' | 'all';

/** How a session is made. */
export interface SessionOptions {
  /** Threads inside one operator; the number of physical cores when absent. 1 runs on the calling thread only. */
  readonly intraOpThreads?: number;
  /** Threads across operators; above 1 it also turns parallel execution of independent operators on. */
  readonly interOpThreads?: number;
  readonly graphOptimization?: GraphOptimization;
  /** Where to run, first choice first; the CPU takes what the others cannot. `['cpu']` when absent. */
  readonly providers?: readonly ProviderChoice[];
  /** External initializers from memory; the same weights can serve several sessions. */
  readonly weights?: SharedWeights;
  /** File prefix of a Chrome-format profile; it is written when the session ends. */
  readonly profile?: string;
  /** File to write the optimized model to. */
  readonly optimizedModel?: string;
  /** Whether freed memory is kept for the next run (the arena); true when absent. */
  readonly memoryArena?: boolean;
  /** Whether one block is planned for a run's inner values when shapes are static; true when absent. */
  readonly memoryPattern?: boolean;
  /** ONNX Runtime's own settings, such as `session.intra_op.allow_spinning: '0'`. */
  readonly config?: Readonly<Record<string, string>>;
}

/**
 * Feeds and fetches that were checked and handed to the engine once, to be run many times: nothing is allocated per
 * run but a promise. The engine reads and writes the same memory each time.
 */
export interface Binding {
  /** Runs off the caller's thread. Rejects with `aborted`, `disposed` or an `onnxruntime-...` error. */
  run(options?: RunOptions): Promise<Results>;
  /** Runs on the caller's thread and blocks it. */
  runSync(): Results;
  /** Lets go of the memory; runs under way end first. */
  dispose(): void;
}

/** A loaded model. */
export interface EngineSession {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /**
   * Runs the model off the caller's thread; several runs may be under way at once. All outputs are allocated by the
   * engine when `fetches` is absent.
   *
   * @throws UserLlmError `missing-feed`, `unknown-input`, `unknown-output`, `wrong-dtype`, `wrong-shape`,
   * `bad-buffer`, `aborted`, `disposed`, or `onnxruntime-...` for what ONNX Runtime itself refuses.
   */
  run(feeds: Feeds, fetches?: Fetches, options?: RunOptions): Promise<Results>;
  /** The same on the caller's thread, which it blocks. */
  runSync(feeds: Feeds, fetches?: Fetches): Results;
  /** Checks feeds and fetches once, for a loop that runs on the same memory; throws as `run` does. */
  bind(feeds: Feeds, fetches?: Fetches): Binding;
  /** Ends profiling and returns the profile's path; `not-profiling` when the session was made without `profile`. */
  endProfiling(): Promise<string>;
  /** Releases the session after the runs under way; later use throws `disposed`. Safe to call twice. */
  dispose(): Promise<void>;
}

/** An implementation of the engine that runs ONNX models. */
export interface Engine {
  /** `c-api` calls ONNX Runtime's library itself; `package` goes through onnxruntime-node in worker threads. */
  readonly kind: 'c-api' | 'package';
  /** Version of ONNX Runtime, such as `1.30.0`. */
  readonly version: string;
  /** Execution providers that this build of ONNX Runtime has, by its own names, such as `CPUExecutionProvider`. */
  readonly availableProviders: readonly string[];
  /**
   * Loads a model from the bytes of an ONNX file or from a path, off the caller's thread.
   *
   * @throws UserLlmError `unavailable-provider`, or `onnxruntime-...` for a model that ONNX Runtime refuses.
   */
  createSession(model: Uint8Array | string, options?: SessionOptions): Promise<EngineSession>;
  /** Lets go of the engine once its sessions are disposed of; later use throws `disposed`. */
  dispose(): Promise<void>;
}
