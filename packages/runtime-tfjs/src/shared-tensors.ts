import type { Tensor } from '@user-llm/tensor';
import type { Engine, EngineTensor } from './engine/engine.js';
import { upload } from './value.js';

/** Copies of host tensors where the kernels work: one of each, however many programs read it, as long as one does. */
export class SharedTensors {
  readonly #engine: Engine;
  readonly #held = new Map<Tensor, { readonly copy: EngineTensor; readers: number }>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The copy of a tensor, to be given back with `release`. */
  acquire(tensor: Tensor): EngineTensor {
    const held = this.#held.get(tensor) ?? { copy: upload(this.#engine, tensor), readers: 0 };
    this.#held.set(tensor, held);
    held.readers++;
    return held.copy;
  }

  release(tensor: Tensor): void {
    const held = this.#held.get(tensor);
    if (!held || --held.readers > 0) return;
    this.#held.delete(tensor);
    held.copy.dispose();
  }
}
