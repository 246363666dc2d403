import { CApi } from './c-api.js';
import { pointerArray, readText, textArray } from './c-memory.js';
import { CSession } from './c-session.js';
import { sessionOptions } from './c-session-options.js';
import { valueOver } from './c-values.js';
import type { Engine, EngineSession, SessionOptions } from './engine.js';
import { closeEnvironment, openEnvironment, sharesThreads, type Environment } from './environment.js';
import { Handle } from './handle.js';
import { RunSlots } from './run-slots.js';
import { disposed } from './session-errors.js';
import type { SharedWeights } from './shared-weights.js';
import { trimMemory, type TrimMemory } from './trim-memory.js';

/** What the sessions of one engine share. */
export interface CContext {
  readonly api: CApi;
  readonly memoryInfo: Handle;
  /** ONNX Runtime's default allocator, which is its own and is never released. */
  readonly allocator: bigint;
  readonly slots: RunSlots;
}

/** What sessions with the same weights share. */
interface Shared {
  /** By initializer name. */
  readonly values: Map<string, Handle>;
  /** The packed forms that kernels make of the weights. */
  readonly packed: Handle;
  /** Sessions that are there, or under way. */
  users: number;
}

/** `OrtDeviceAllocator` and `OrtMemTypeDefault`: memory that is not from an arena. */
const deviceAllocator = 0;
const defaultMemory = 0;

/** ONNX Runtime through its C API. */
export class CEngine implements Engine {
  readonly kind = 'c-api';
  readonly version: string;
  readonly availableProviders: readonly string[];
  readonly #context: CContext;
  /** Not collected but released by `dispose` alone: sessions use it to their end. */
  #environment: Environment | undefined;
  readonly #sessions = new Set<WeakRef<CSession>>();
  /** Sessions that are being made, with the environment. */
  readonly #underWay = new Set<Promise<EngineSession>>();
  readonly #weights = new WeakMap<SharedWeights, Shared>();
  readonly #trim: TrimMemory;

  private constructor(context: CContext, environment: Environment) {
    this.#context = context;
    this.#trim = trimMemory(context.api.koffi);
    this.#environment = environment;
    this.version = context.api.version;
    this.availableProviders = availableProviders(context.api);
  }

  /**
   * Opens a shared library of ONNX Runtime.
   *
   * @param parallelRuns Asynchronous runs that go on at once; further ones wait.
   * @param threads Inside one operator, shared by all sessions that ask for as many; ONNX Runtime's default when absent.
   * @throws UserLlmError `no-engine`, `old-engine`.
   */
  static async load(path: string, parallelRuns: number, threads?: number): Promise<CEngine> {
    const api = await CApi.load(path);
    const environment = openEnvironment(api, threads);
    try {
      api.call('DisableTelemetryEvents', environment.address);
      const memoryInfo = api.create('CreateCpuMemoryInfo', deviceAllocator, defaultMemory);
      const context: CContext = {
        api,
        memoryInfo: new Handle(api, 'memory info', 'ReleaseMemoryInfo', memoryInfo),
        allocator: api.create('GetAllocatorWithDefaultOptions'),
        slots: new RunSlots(parallelRuns),
      };
      return new CEngine(context, environment);
    } catch (error) {
      closeEnvironment(api, environment);
      throw error;
    }
  }

  createSession(model: Uint8Array | string, options: SessionOptions = {}): Promise<EngineSession> {
    const made = this.#createSession(model, options);
    this.#underWay.add(made);
    const forget = (): void => void this.#underWay.delete(made);
    made.then(forget, forget);
    return made;
  }

  async #createSession(model: Uint8Array | string, options: SessionOptions): Promise<EngineSession> {
    const environment = this.#environment;
    if (!environment) throw disposed('engine');
    const { api } = this.#context;
    const ownThreads = !sharesThreads(options, environment);
    const native = sessionOptions(api, options, { available: this.availableProviders, ownThreads });
    const shared = options.weights && this.#take(options.weights);
    const release = async (): Promise<void> => {
      if (shared) await this.#give(shared, options.weights!);
    };
    try {
      if (shared) this.#addWeights(native.address, shared.values, Object.keys(options.weights!.tensors));
      const packed = shared?.packed.address ?? null;
      const out = new BigUint64Array(1);
      if (typeof model === 'string') {
        await api.callAsync(
          'CreateSessionWithPrepackedWeightsContainer',
          environment.address,
          model,
          native.address,
          packed,
          out,
        );
      } else {
        const name = 'CreateSessionFromArrayWithPrepackedWeightsContainer';
        await api.callAsync(name, environment.address, model, model.byteLength, native.address, packed, out);
      }
      const handle = new Handle(api, 'session', 'ReleaseSession', out[0]!, [shared, options.weights?.whole]);
      // What was packed again, only to find that it is there already, was freed.
      if (shared && shared.users > 1) await this.#trim();
      return this.#opened(handle, options, release);
    } catch (error) {
      await release();
      throw error;
    } finally {
      native.dispose();
    }
  }

  async dispose(): Promise<void> {
    const environment = this.#environment;
    if (!environment) return;
    this.#environment = undefined;
    await Promise.allSettled(this.#underWay);
    for (const session of this.#sessions) await session.deref()?.dispose();
    this.#context.memoryInfo.dispose();
    closeEnvironment(this.#context.api, environment);
  }

  #opened(handle: Handle, options: SessionOptions, release: () => Promise<void>): CSession {
    try {
      const session = new CSession(this.#context, handle, options, release);
      for (const known of this.#sessions) if (!known.deref()) this.#sessions.delete(known);
      this.#sessions.add(new WeakRef(session));
      return session;
    } catch (error) {
      handle.dispose();
      throw error;
    }
  }

  /** What sessions with these weights share, for one more of them; give it back afterwards. */
  #take({ whole }: SharedWeights): Shared {
    const { api, memoryInfo } = this.#context;
    const shared = this.#weights.get(whole) ?? { values: new Map(), packed: packedWeights(api), users: 0 };
    this.#weights.set(whole, shared);
    shared.users++;
    for (const [name, tensor] of Object.entries(whole.tensors))
      if (!shared.values.has(name)) shared.values.set(name, valueOver(api, memoryInfo.address, tensor));
    return shared;
  }

  /** Releases what is shared when no session needs it any more. */
  async #give(shared: Shared, { whole }: SharedWeights): Promise<void> {
    if (--shared.users > 0) return;
    this.#weights.delete(whole);
    shared.packed.dispose();
    for (const value of shared.values.values()) value.dispose();
    await this.#trim();
  }

  #addWeights(native: bigint, values: ReadonlyMap<string, Handle>, read: readonly string[]): void {
    const { api } = this.#context;
    const names = textArray(api, read);
    const addresses = pointerArray(
      api,
      read.map((name) => values.get(name)!.address),
    );
    // The first call lets the optimizer see the weights, which copies none of them but is good for one session alone;
    // the second makes the session use this very memory, and put the packed forms into the shared container.
    api.call('AddExternalInitializers', native, names.address, addresses.address, read.length);
    for (const name of read) api.call('AddInitializer', native, name, values.get(name)!.address);
  }
}

function packedWeights(api: CApi): Handle {
  const container = api.create('CreatePrepackedWeightsContainer');
  return new Handle(api, 'packed weights', 'ReleasePrepackedWeightsContainer', container);
}

function availableProviders(api: CApi): readonly string[] {
  const names = new BigUint64Array(1);
  const count = new Int32Array(1);
  api.call('GetAvailableProviders', names, count);
  const addresses = api.koffi.decode(names[0]!, 'void *', count[0]!) as bigint[];
  const providers = addresses.map((address) => readText(api, address));
  api.call('ReleaseAvailableProviders', names[0]!, count[0]!);
  return providers;
}
