import { CApi } from './c-api.js';
import { pointerArray, readText, textArray } from './c-memory.js';
import { CSession } from './c-session.js';
import { sessionOptions } from './c-session-options.js';
import { valueOver } from './c-values.js';
import type { Engine, EngineSession, SessionOptions } from './engine.js';
import { Handle } from './handle.js';
import { RunSlots } from './run-slots.js';
import { disposed } from './session-errors.js';
import { logSeverity } from './session-options.js';
import type { SharedWeights } from './shared-weights.js';

/** What the sessions of one engine share. */
export interface CContext {
  readonly api: CApi;
  readonly memoryInfo: Handle;
  /** ONNX Runtime's default allocator, which is its own and is never released. */
  readonly allocator: bigint;
  readonly slots: RunSlots;
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
  #env: bigint | undefined;
  readonly #sessions = new Set<WeakRef<CSession>>();
  readonly #weights = new WeakMap<
    SharedWeights,
    { readonly values: ReadonlyMap<string, Handle>; readonly packed: Handle }
  >();

  private constructor(context: CContext, env: bigint) {
    this.#context = context;
    this.#env = env;
    this.version = context.api.version;
    this.availableProviders = availableProviders(context.api);
  }

  /**
   * Opens a shared library of ONNX Runtime.
   *
   * @param parallelRuns Asynchronous runs that go on at once; further ones wait.
   * @throws UserLlmError `no-engine`, `old-engine`.
   */
  static async load(path: string, parallelRuns: number): Promise<CEngine> {
    const api = await CApi.load(path);
    const env = api.create('CreateEnv', logSeverity, 'user-llm');
    api.call('DisableTelemetryEvents', env);
    const memoryInfo = api.create('CreateCpuMemoryInfo', deviceAllocator, defaultMemory);
    const context: CContext = {
      api,
      memoryInfo: new Handle(api, 'memory info', 'ReleaseMemoryInfo', memoryInfo),
      allocator: api.create('GetAllocatorWithDefaultOptions'),
      slots: new RunSlots(parallelRuns),
    };
    return new CEngine(context, env);
  }

  async createSession(model: Uint8Array | string, options: SessionOptions = {}): Promise<EngineSession> {
    if (this.#env === undefined) throw disposed('engine');
    const { api } = this.#context;
    const native = sessionOptions(api, options, this.availableProviders);
    try {
      const weights = options.weights && this.#share(options.weights);
      if (weights) this.#addWeights(native.address, weights.values);
      const packed = weights?.packed.address ?? null;
      const out = new BigUint64Array(1);
      if (typeof model === 'string') {
        await api.callAsync(
          'CreateSessionWithPrepackedWeightsContainer',
          this.#env,
          model,
          native.address,
          packed,
          out,
        );
      } else {
        const name = 'CreateSessionFromArrayWithPrepackedWeightsContainer';
        await api.callAsync(name, this.#env, model, model.byteLength, native.address, packed, out);
      }
      const handle = new Handle(api, 'session', 'ReleaseSession', out[0]!, [weights, options.weights]);
      return this.#opened(handle, options);
    } finally {
      native.dispose();
    }
  }

  async dispose(): Promise<void> {
    const env = this.#env;
    if (env === undefined) return;
    this.#env = undefined;
    for (const session of this.#sessions) await session.deref()?.dispose();
    this.#context.memoryInfo.dispose();
    this.#context.api.call('ReleaseEnv', env);
  }

  #opened(handle: Handle, options: SessionOptions): CSession {
    try {
      const session = new CSession(this.#context, handle, options);
      for (const known of this.#sessions) if (!known.deref()) this.#sessions.delete(known);
      this.#sessions.add(new WeakRef(session));
      return session;
    } catch (error) {
      handle.dispose();
      throw error;
    }
  }

  #share(weights: SharedWeights) {
    const known = this.#weights.get(weights);
    if (known) return known;
    const { api, memoryInfo } = this.#context;
    const values = new Map(
      Object.entries(weights.tensors).map(([name, tensor]) => [name, valueOver(api, memoryInfo.address, tensor)]),
    );
    const container = api.create('CreatePrepackedWeightsContainer');
    const shared = { values, packed: new Handle(api, 'packed weights', 'ReleasePrepackedWeightsContainer', container) };
    this.#weights.set(weights, shared);
    return shared;
  }

  #addWeights(native: bigint, values: ReadonlyMap<string, Handle>): void {
    const { api } = this.#context;
    const names = textArray(api, [...values.keys()]);
    const addresses = pointerArray(
      api,
      [...values.values()].map(({ address }) => address),
    );
    // The first call lets the optimizer see the weights, which copies none of them but is good for one session alone;
    // the second makes the session use this very memory, and put the packed forms into the shared container.
    api.call('AddExternalInitializers', native, names.address, addresses.address, values.size);
    for (const [name, value] of values) api.call('AddInitializer', native, name, value.address);
  }
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
