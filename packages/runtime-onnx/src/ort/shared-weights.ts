import { checkMemory } from './host-tensor.js';
import type { HostTensor } from './engine.js';

/**
 * Weights in the caller's memory for models whose initializers are external (`data: 'memory'` in `ModelInitializer`).
 *
 * They never pass through a protobuf, so a model may be larger than 2 GiB. Every session that is made with the same
 * `SharedWeights`, or with some of them, reads the same memory, and shares the packed forms that the matrix kernels
 * make of it. The memory must not change while a session uses it: packed forms would not follow.
 *
 * @throws UserLlmError `wrong-dtype`, `wrong-shape`, `bad-buffer` when a tensor's memory is not what it says.
 */
export class SharedWeights {
  readonly #tensors: Record<string, HostTensor>;
  /** All weights that these are some of; these themselves where they are all. */
  readonly whole: SharedWeights;

  constructor(tensors: Readonly<Record<string, HostTensor>>, whole?: SharedWeights) {
    if (!whole) for (const [name, tensor] of Object.entries(tensors)) checkMemory(`weight ${name}`, tensor);
    this.#tensors = { ...tensors };
    this.whole = whole ?? this;
  }

  /** Tensors by initializer name. */
  get tensors(): Readonly<Record<string, HostTensor>> {
    return this.#tensors;
  }

  /** Lets later sessions read more weights beside these. */
  add(tensors: Readonly<Record<string, HostTensor>>): void {
    for (const [name, tensor] of Object.entries(tensors)) {
      if (this.#tensors[name]) continue;
      checkMemory(`weight ${name}`, tensor);
      this.#tensors[name] = tensor;
    }
  }

  /** Those of the names alone. */
  only(names: readonly string[]): SharedWeights {
    return new SharedWeights(Object.fromEntries(names.map((name) => [name, this.tensors[name]!])), this.whole);
  }
}
