/** The TensorFlow.js core library: its operators and its one global engine. */
export type TensorFlow = typeof import('@tensorflow/tfjs-core');

/** A tensor in TensorFlow.js's memory; it lives until it is disposed of. */
export type EngineTensor = import('@tensorflow/tfjs-core').Tensor;

/** What can carry the graphs, in the order of preference. */
export const engineNames = ['tfjs-node-gpu', 'tfjs-node', 'wasm'] as const;

/** What carries the graphs: TensorFlow on a GPU or a CPU through a native addon, or WebAssembly. */
export type EngineName = (typeof engineNames)[number];

/** A started engine. It is part of the process: there is one of each name, and it is never stopped. */
export interface Engine {
  readonly name: EngineName;
  /** What TensorFlow.js calls the set of kernels: `tensorflow` or `wasm`. */
  readonly backend: 'tensorflow' | 'wasm';
  /** The instance of the library that the kernels are registered with. */
  readonly tf: TensorFlow;
  /** Threads that a kernel may use, where that is known. */
  readonly threads: number | undefined;
}

/**
 * Calls `body` with the engine's kernels selected.
 *
 * TensorFlow.js has one current backend per process; whoever selected another one gets it back afterwards.
 *
 * @param body Must not wait for anything: the selection holds only while it runs.
 */
export function withEngine<T>({ tf, backend }: Engine, body: () => T): T {
  const before = tf.getBackend();
  if (before === backend) return body();
  // For a backend that has started, the selection happens before the promise is returned.
  void tf.setBackend(backend);
  try {
    return body();
  } finally {
    if (before && before in tf.engine().registry) void tf.setBackend(before);
  }
}
