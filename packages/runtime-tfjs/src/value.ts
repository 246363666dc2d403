import { requireSameType, type Value as GraphValue } from '@user-llm/graph';
import { Tensor, UserLlmError, type Axes, type DType } from '@user-llm/tensor';
import { engineDType } from './kernels/kernel.js';
import { withEngine, type Engine, type EngineTensor } from './engine/engine.js';

/** A tensor that stays where the kernels work; it is read, written and disposed of explicitly. */
export class Value implements GraphValue {
  readonly dtype: DType;
  readonly axes: Axes;
  readonly shape: readonly number[];
  readonly #engine: Engine;
  #held: EngineTensor | undefined;

  /** @internal Takes over the engine's tensor. */
  constructor(engine: Engine, dtype: DType, axes: Axes, held: EngineTensor) {
    this.dtype = dtype;
    this.axes = axes;
    this.shape = held.shape;
    this.#engine = engine;
    this.#held = held;
  }

  /** A copy on the host. */
  read(): Promise<Tensor> {
    return Promise.resolve().then(() => this.readSync());
  }

  /**
   * A copy on the host, at once.
   *
   * @throws UserLlmError `disposed` after `dispose`.
   */
  readSync(): Tensor {
    const data = this.held(this.#engine).dataSync();
    // The native backend hands out the array that a tensor was made from.
    return new Tensor(
      this.dtype,
      this.axes,
      this.shape,
      (this.#engine.backend === 'wasm' ? data : data.slice()) as never,
    );
  }

  /**
   * Replaces the content.
   *
   * @throws UserLlmError `shape-mismatch`, `axis-mismatch` or `dtype-mismatch` unless `tensor` has this value's type,
   *   `disposed`.
   */
  write(tensor: Tensor): void {
    this.held(this.#engine);
    requireSameType('write', this, tensor);
    this.replace(upload(this.#engine, tensor));
  }

  /** @internal Takes over the engine's tensor, of this value's dtype and shape, instead of the one it held. */
  replace(held: EngineTensor): void {
    const before = this.held(this.#engine);
    this.#held = held;
    before.dispose();
  }

  /** Releases the memory; doing so twice is harmless. */
  dispose(): void {
    this.#held?.dispose();
    this.#held = undefined;
  }

  /** @internal The engine's tensor, for kernels of the same engine. */
  held(engine: Engine): EngineTensor {
    if (this.#held === undefined) {
      throw new UserLlmError('disposed', {
        what: `value [${this.axes.join(', ')}]`,
        expected: 'one that is still held',
        got: 'one that was disposed of',
        mend: 'Read it, or make a new one, before dispose().',
      });
    }
    if (engine !== this.#engine) {
      throw new UserLlmError('foreign-value', {
        what: `value [${this.axes.join(', ')}]`,
        expected: `one of ${engine.name}`,
        got: `one of ${this.#engine.name}`,
        mend: 'Read it and feed the host tensor.',
      });
    }
    return this.#held;
  }
}

/**
 * @internal A value of TensorFlow.js.
 *
 * @throws UserLlmError `foreign-value`.
 */
export function requireOwn(what: string, value: GraphValue): Value {
  if (value instanceof Value) return value;
  throw new UserLlmError('foreign-value', {
    what,
    expected: 'a value of this runtime',
    got: 'a value of another',
    mend: 'Read it and make a value of the host tensor with `value`.',
  });
}

/** @internal A host tensor copied to where the kernels work. */
export function upload(engine: Engine, tensor: Tensor): EngineTensor {
  const { tf } = engine;
  const data = tensor.contiguous().data as Float32Array | Int32Array | Uint8Array;
  return withEngine(engine, () => tf.keep(tf.tensor(data.slice(), [...tensor.shape], engineDType(tensor.dtype))));
}
