import { UserLlmError } from '@user-llm/tensor';
import { CBinding } from './c-binding.js';
import type { CContext } from './c-engine.js';
import { readText } from './c-memory.js';
import { readTypeAndShape } from './c-values.js';
import type {
  Binding,
  EngineSession,
  Feeds,
  Fetches,
  Results,
  RunOptions,
  SessionOptions,
  ValueInfo,
} from './engine.js';
import { Handle } from './handle.js';
import { checkFeeds, checkFetches } from './host-tensor.js';
import { notProfiling } from './session-errors.js';
import { logSeverity } from './log-severity.js';

/** A session of the C API. Runs hold it, so it is released after the last of them. */
export class CSession implements EngineSession {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly context: CContext;
  readonly #handle: Handle;
  readonly #runOptions: Handle[] = [];
  readonly #running = new Set<Promise<unknown>>();
  readonly #allOutputs: Fetches;
  readonly #released: () => Promise<void>;
  #profiling: boolean;

  /**
   * @param handle The `OrtSession`, which this owns from now on.
   * @param released Called once, when the `OrtSession` is gone.
   */
  constructor(context: CContext, handle: Handle, options: SessionOptions, released: () => Promise<void>) {
    this.context = context;
    this.#handle = handle;
    this.#released = released;
    this.#profiling = options.profile !== undefined;
    this.inputs = this.#describe('Input');
    this.outputs = this.#describe('Output');
    this.#allOutputs = Object.fromEntries(this.outputs.map(({ name }) => [name, null]));
  }

  /** The `OrtSession`; throws `disposed` after `dispose`. */
  get address(): bigint {
    return this.#handle.address;
  }

  async run(feeds: Feeds, fetches?: Fetches, options?: RunOptions): Promise<Results> {
    const binding = this.bind(feeds, fetches);
    try {
      return await binding.run(options);
    } finally {
      binding.dispose();
    }
  }

  runSync(feeds: Feeds, fetches?: Fetches): Results {
    const binding = this.bind(feeds, fetches);
    try {
      return binding.runSync();
    } finally {
      binding.dispose();
    }
  }

  bind(feeds: Feeds, fetches: Fetches = this.#allOutputs): Binding {
    // Reading the address refuses a session that was disposed of.
    void this.address;
    checkFeeds(this.inputs, feeds);
    checkFetches(this.outputs, fetches);
    return new CBinding(this, feeds, fetches);
  }

  /** Run options for one run; give them back afterwards. */
  takeRunOptions(): Handle {
    const { api } = this.context;
    const spare = this.#runOptions.pop();
    if (spare) return spare;
    const handle = new Handle(api, 'run options', 'ReleaseRunOptions', api.create('CreateRunOptions'));
    api.call('RunOptionsSetRunLogSeverityLevel', handle.address, logSeverity);
    return handle;
  }

  giveRunOptions(handle: Handle): void {
    if (this.#handle.disposed) handle.dispose();
    else this.#runOptions.push(handle);
  }

  /** Notes a run, so that `dispose` waits for it. */
  track<T>(run: Promise<T>): Promise<T> {
    this.#running.add(run);
    const forget = (): void => void this.#running.delete(run);
    run.then(forget, forget);
    return run;
  }

  endProfiling(): Promise<string> {
    return new Promise((resolve) => {
      const { address } = this;
      if (!this.#profiling) throw notProfiling();
      const { api, allocator } = this.context;
      const text = api.create('SessionEndProfiling', address, allocator);
      this.#profiling = false;
      const path = readText(api, text);
      api.call('AllocatorFree', allocator, text);
      resolve(path);
    });
  }

  async dispose(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    for (const spare of this.#runOptions.splice(0)) spare.dispose();
    if (this.#handle.disposed) return;
    this.#handle.dispose();
    await this.#released();
  }

  #describe(side: 'Input' | 'Output'): readonly ValueInfo[] {
    const { api, allocator } = this.context;
    const count = Number(api.create(`SessionGet${side}Count`, this.address));
    return Array.from({ length: count }, (_, index) => {
      const text = api.create(`SessionGet${side}Name`, this.address, index, allocator);
      const name = readText(api, text);
      api.call('AllocatorFree', allocator, text);
      const type = new Handle(
        api,
        'type info',
        'ReleaseTypeInfo',
        api.create(`SessionGet${side}TypeInfo`, this.address, index),
      );
      try {
        const tensor = api.create('CastTypeInfoToTensorInfo', type.address);
        if (tensor !== 0n) return { name, ...readTypeAndShape(api, name, tensor) };
        throw new UserLlmError('unsupported-dtype', {
          what: name,
          expected: 'a tensor',
          got: 'a sequence, map or optional',
        });
      } finally {
        type.dispose();
      }
    });
  }
}
