import { pointerArray, textArray, type Addressed, type PointerArray } from './c-memory.js';
import type { CSession } from './c-session.js';
import type { Takes } from './c-api.js';
import { valueOver } from './c-values.js';
import { engineMemory, takeTensor, type EngineMemory } from './engine-memory.js';
import type { Binding, Feeds, Fetches, HostTensor, Results, RunOptions } from './engine.js';
import type { Handle } from './handle.js';
import { aborted, busy, disposed, transferred } from './session-errors.js';

/** Feeds and fetches as `OrtValue`s over the caller's memory, made once for any number of runs. */
export class CBinding implements Binding {
  readonly #session: CSession;
  readonly #tensors: readonly HostTensor[];
  readonly #values: readonly Handle[];
  readonly #held: Set<EngineMemory>;
  readonly #inputNames: Addressed;
  readonly #outputNames: Addressed;
  readonly #inputs: PointerArray;
  /** Addresses of the caller's outputs, null where the engine allocates; each run has its own copy then. */
  readonly #outputs: PointerArray;
  readonly #names: readonly string[];
  readonly #given: Results;
  readonly #inputCount: number;
  #state: 'free' | 'running' | 'disposed' = 'free';

  /** Takes feeds and fetches that were checked. */
  constructor(session: CSession, feeds: Feeds, fetches: Fetches) {
    const { api, memoryInfo } = session.context;
    const values = new Map<HostTensor, Handle>();
    const held = new Set<EngineMemory>();
    const addressOf = (tensor: HostTensor): bigint => {
      const memory = engineMemory(tensor);
      // Another library's OrtValue is none of ours.
      if (memory?.api.path === api.path) {
        held.add(memory);
        return memory.address;
      }
      const value = values.get(tensor) ?? valueOver(api, memoryInfo.address, tensor);
      values.set(tensor, value);
      return value.address;
    };
    this.#session = session;
    this.#names = Object.keys(fetches);
    this.#given = Object.fromEntries(
      Object.entries(fetches).filter((entry): entry is [string, HostTensor] => entry[1] !== null),
    );
    this.#inputCount = Object.keys(feeds).length;
    this.#inputNames = textArray(api, Object.keys(feeds));
    this.#outputNames = textArray(api, this.#names);
    this.#inputs = pointerArray(api, Object.values(feeds).map(addressOf));
    this.#outputs = pointerArray(
      api,
      Object.values(fetches).map((tensor) => (tensor === null ? 0n : addressOf(tensor))),
    );
    this.#tensors = [...values.keys()];
    this.#values = [...values.values()];
    this.#held = held;
    for (const memory of held) memory.hold();
  }

  run(options: RunOptions = {}): Promise<Results> {
    return this.#session.track(this.#run(options));
  }

  async #run({ signal }: RunOptions): Promise<Results> {
    this.#enter();
    const { api, slots } = this.#session.context;
    const outputs = this.#runOutputs();
    try {
      if (signal?.aborted) throw aborted(signal);
      await slots.take(signal);
      const runOptions = this.#session.takeRunOptions();
      const stop = (): void => api.call('RunOptionsSetTerminate', runOptions.address);
      signal?.addEventListener('abort', stop, { once: true });
      try {
        await api.callAsync('Run', ...this.#arguments(runOptions.address, outputs));
      } catch (error) {
        throw signal?.aborted ? aborted(signal) : error;
      } finally {
        signal?.removeEventListener('abort', stop);
        slots.give();
        if (signal?.aborted) api.call('RunOptionsUnsetTerminate', runOptions.address);
        this.#session.giveRunOptions(runOptions);
      }
      return this.#results(outputs);
    } finally {
      this.#leave();
    }
  }

  runSync(): Results {
    this.#enter();
    const outputs = this.#runOutputs();
    try {
      this.#session.context.api.call('Run', ...this.#arguments(null, outputs));
      return this.#results(outputs);
    } finally {
      this.#leave();
    }
  }

  dispose(): void {
    const running = this.#state === 'running';
    this.#state = 'disposed';
    if (!running) this.#release();
  }

  #enter(): void {
    if (this.#state === 'disposed') throw disposed('binding');
    if (this.#state === 'running') throw busy('binding');
    void this.#session.address;
    const gone = this.#tensors.find(({ data, shape }) => data.length === 0 && !shape.includes(0));
    if (gone) throw transferred('binding');
    this.#state = 'running';
  }

  #leave(): void {
    if (this.#state === 'disposed') this.#release();
    else this.#state = 'free';
  }

  #release(): void {
    for (const value of this.#values) value.dispose();
    for (const memory of this.#held) memory.letGo();
    this.#held.clear();
  }

  #runOutputs(): PointerArray {
    const allGiven = this.#names.length === Object.keys(this.#given).length;
    return allGiven ? this.#outputs : pointerArray(this.#session.context.api, [...this.#outputs.slots]);
  }

  #arguments(runOptions: bigint | null, outputs: PointerArray): Takes<'Run'> {
    return [
      this.#session.address,
      runOptions,
      this.#inputNames.address,
      this.#inputs.address,
      this.#inputCount,
      this.#outputNames.address,
      this.#names.length,
      outputs.address,
    ];
  }

  #results(outputs: PointerArray): Results {
    if (outputs === this.#outputs) return this.#given;
    const { api } = this.#session.context;
    const entries = this.#names.map((name, index): [string, HostTensor] => {
      return [name, this.#given[name] ?? takeTensor(api, name, outputs.slots[index]!)];
    });
    return Object.fromEntries(entries);
  }
}
