import { requireSameType, type Value } from '@user-llm/graph';
import {
  allocate,
  elements,
  Tensor,
  UserLlmError,
  type Axes,
  type BaseDType,
  type DType,
  type TypedArray,
} from '@user-llm/tensor';
import type { BoundRun } from './bound-run.js';
import { elementsOf, releaseTensor } from './ort/engine-memory.js';
import type { HostTensor } from './ort/engine.js';

/** A tensor in memory that ONNX Runtime reads and writes in place. */
export class OnnxValue implements Value {
  readonly dtype: DType;
  readonly axes: Axes;
  readonly shape: readonly number[];
  #memory: HostTensor | undefined;
  #spare: HostTensor | undefined;
  #bound: BoundRun | undefined;

  /** @internal Takes over the memory. */
  constructor(axes: Axes, memory: HostTensor) {
    this.dtype = memory.dtype;
    this.axes = axes;
    this.shape = memory.shape;
    this.#memory = memory;
  }

  read(reuse?: Tensor): Promise<Tensor> {
    return Promise.resolve().then(() => this.readSync(reuse));
  }

  /**
   * A copy on the host, at once.
   *
   * @param reuse A tensor that is read no more: the copy is made in its memory where it is dense and of this value's type.
   * @throws UserLlmError `disposed` after `dispose`.
   */
  readSync(reuse?: Tensor): Tensor {
    const data = elementsOf(this.memory);
    if (!reuse?.isDense || !hasTypeOf(this, reuse))
      return new Tensor(this.dtype, this.axes, this.shape, data.slice() as never);
    (reuse.contiguous().data as Float32Array).set(data as Float32Array);
    return reuse;
  }

  write(tensor: Tensor): void {
    const data = elementsOf(this.memory);
    requireSameType('write', this, tensor);
    (data as Float32Array).set(tensor.contiguous().data as Float32Array);
  }

  dispose(): void {
    this.bound = undefined;
    for (const memory of [this.#memory, this.#spare]) if (memory) releaseTensor(memory);
    this.#memory = undefined;
    this.#spare = undefined;
  }

  /** @internal The run that writes this value in place, ready to be made again; it ends with the value. */
  get bound(): BoundRun | undefined {
    return this.#bound;
  }

  set bound(run: BoundRun | undefined) {
    this.#bound?.dispose();
    this.#bound = run;
  }

  /** @internal Memory as large, which a run writes while it reads the value; made when first needed. */
  get spare(): HostTensor {
    const { dtype, shape } = this.memory;
    return (this.#spare ??= { dtype, shape, data: allocate(dtype, elements(shape)) });
  }

  /** @internal What is in the spare memory becomes the content. */
  swap(): void {
    [this.#memory, this.#spare] = [this.spare, this.memory];
  }

  /** @internal The memory itself, for runs. */
  get memory(): HostTensor {
    if (this.#memory) return this.#memory;
    throw new UserLlmError('disposed', {
      what: `value [${this.axes.join(', ')}]`,
      expected: 'one that is still held',
      got: 'one that was disposed of',
      mend: 'Read it, or make a new one, before dispose().',
    });
  }
}

function hasTypeOf({ dtype, axes, shape }: OnnxValue, tensor: Tensor): boolean {
  return tensor.dtype === dtype && `${tensor.axes}` === `${axes}` && `${tensor.shape}` === `${shape}`;
}

/** @internal What a feed's elements lie in: a value's own memory, or a dense form of a host tensor. */
export function feedMemory(name: string, feed: Tensor | Value): HostTensor {
  if (!(feed instanceof Tensor)) return requireOwn(`feed ${JSON.stringify(name)}`, feed).memory;
  const dense = feed.contiguous();
  return { dtype: dense.dtype as BaseDType, shape: dense.shape, data: dense.data as TypedArray };
}

/** @internal A value of ONNX Runtime. */
export function requireOwn(what: string, value: Value): OnnxValue {
  if (value instanceof OnnxValue) return value;
  throw new UserLlmError('foreign-value', {
    what,
    expected: 'a value of this runtime',
    got: 'a value of another',
    mend: 'Read it and make a value of the host tensor with `value`.',
  });
}
