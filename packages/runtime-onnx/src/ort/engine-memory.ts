import { markAsUntransferable } from 'node:worker_threads';
import { allocate, bytesPerElement, elements, viewBytes, type BaseDType, type TypedArray } from '@user-llm/tensor';
import type { CApi } from './c-api.js';
import { typeAndShape } from './c-values.js';
import type { HostTensor } from './engine.js';
import { Handle } from './handle.js';
import { disposed } from './session-errors.js';

/**
 * Memory of one tensor that a run allocated, of its session's arena. V8 does not count it, so that it neither starts
 * collections nor waits for one: it is freed by `release`, after the bindings that use it, unless somebody was handed its
 * elements.
 */
export class EngineMemory {
  readonly api: CApi;
  readonly #dtype: BaseDType;
  readonly #length: number;
  readonly #value: Handle;
  #elements: TypedArray | undefined;
  #users = 0;
  #state: 'held' | 'handed out' | 'released' = 'held';

  /** @param value An `OrtValue` of that type, which this owns from now on. */
  constructor(api: CApi, dtype: BaseDType, length: number, value: Handle) {
    this.api = api;
    this.#dtype = dtype;
    this.#length = length;
    this.#value = value;
  }

  /** The `OrtValue`. */
  get address(): bigint {
    return this.#value.address;
  }

  /** The elements, for use at once: whoever keeps them asks for `handOut`. Throws `disposed` after `release`. */
  get elements(): TypedArray {
    if (this.#state === 'released') throw disposed('tensor');
    return (this.#elements ??= this.#view());
  }

  /** The elements, for as long as the garbage collector finds them reachable; their buffer cannot be posted to a thread. */
  handOut(): TypedArray {
    const { elements: view } = this;
    if (this.#state === 'held') {
      this.#state = 'handed out';
      markAsUntransferable(view.buffer);
      owners.set(view.buffer, this.#value);
    }
    return view;
  }

  /** Keeps the memory for a user, until it lets go. */
  hold(): void {
    this.#users++;
  }

  letGo(): void {
    this.#users--;
    this.#free();
  }

  release(): void {
    if (this.#state === 'held') this.#state = 'released';
    this.#free();
  }

  #free(): void {
    if (this.#state !== 'released' || this.#users > 0) return;
    this.#elements = undefined;
    this.#value.dispose();
  }

  #view(): TypedArray {
    if (this.#length === 0) return allocate(this.#dtype, 0);
    const address = this.api.create('GetTensorMutableData', this.address);
    const buffer = this.api.koffi.view(address, this.#length * bytesPerElement(this.#dtype));
    return viewBytes(this.#dtype, buffer, 0, this.#length);
  }
}

/** The values whose memory buffers show: collected together, and then released. */
const owners = new WeakMap<ArrayBufferLike, Handle>();

const memories = new WeakMap<HostTensor, EngineMemory>();

/**
 * The tensor of an `OrtValue` that a run allocated, which is released here when it cannot be one.
 *
 * @throws UserLlmError `unsupported-dtype`.
 */
export function takeTensor(api: CApi, name: string, address: bigint): HostTensor {
  const value = new Handle(api, `output ${name}`, 'ReleaseValue', address);
  try {
    const { dtype, shape } = typeAndShape(api, name, api.create('GetTensorTypeAndShape', address));
    const sizes = shape as readonly number[];
    const memory = new EngineMemory(api, dtype, elements(sizes), value);
    const tensor: HostTensor = {
      dtype,
      shape: sizes,
      get data() {
        return memory.handOut();
      },
    };
    memories.set(tensor, memory);
    return tensor;
  } catch (error) {
    value.dispose();
    throw error;
  }
}

/** The memory of a tensor that a run allocated; undefined for another. */
export function engineMemory(tensor: HostTensor): EngineMemory | undefined {
  return memories.get(tensor);
}

/** The elements of a tensor, to be read or written at once and not to be kept. */
export function elementsOf(tensor: HostTensor): TypedArray {
  return memories.get(tensor)?.elements ?? tensor.data;
}

/** Frees memory that the engine allocated once no run uses it; what JavaScript holds is left to the garbage collector. */
export function releaseTensor(tensor: HostTensor): void {
  memories.get(tensor)?.release();
}
