import { UserLlmError } from '@user-llm/tensor';
import type { Engine, EngineSession, SessionOptions } from './engine.js';
import { packageFolder } from './library.js';
import type { PackageSessionOptions } from './package-protocol.js';
import { answered } from './package-replies.js';
import { PackageSession } from './package-session.js';
import { chooseProviders, ortName, unavailable } from './providers.js';
import { disposed } from './session-errors.js';
import { logSeverity } from './log-severity.js';
import type { SharedWeights } from './shared-weights.js';
import { WorkerClient } from './worker-client.js';

const optimizationLevels = { none: 'disabled', basic: 'basic', extended: 'extended', all: 'all' } as const;

/**
 * ONNX Runtime through onnxruntime-node's own binding, a thread per session: the fallback where the C API cannot be
 * called. Inputs and outputs are copied between the threads, runs of one session take turns, an aborted run is
 * abandoned rather than stopped, and there is no `bfloat16`.
 */
export class PackageEngine implements Engine {
  readonly kind = 'package';
  readonly version: string;
  readonly availableProviders: readonly string[];
  readonly #sessions = new Set<WeakRef<PackageSession>>();
  readonly #weights = new WeakMap<SharedWeights, Map<string, Uint8Array>>();
  #disposed = false;

  private constructor(version: string, availableProviders: readonly string[]) {
    this.version = version;
    this.availableProviders = availableProviders;
  }

  /**
   * Loads onnxruntime-node.
   *
   * @throws UserLlmError `no-engine` when it is not installed or its native part does not load here.
   */
  static async load(): Promise<PackageEngine> {
    const folder = packageFolder();
    try {
      const { listSupportedBackends, env } = await import('onnxruntime-node');
      const bundled = listSupportedBackends().filter((backend) => backend.bundled);
      const names = bundled.map(({ name }) => ortName(name)).filter((name) => name !== undefined);
      return new PackageEngine(env.versions.node ?? env.versions.common, names);
    } catch (cause) {
      throw new UserLlmError('no-engine', {
        what: 'onnxruntime-node',
        expected: `a native part for ${process.platform}-${process.arch} in ${folder}`,
        got: cause instanceof Error ? cause.message : String(cause),
        mend: 'Reinstall the package, on a platform that it supports.',
        cause,
      });
    }
  }

  async createSession(model: Uint8Array | string, options: SessionOptions = {}): Promise<EngineSession> {
    if (this.#disposed) throw disposed('engine');
    const packaged = this.#options(options);
    const client = new WorkerClient();
    try {
      const created = answered(await client.ask({ kind: 'create', model, options: packaged }), 'model');
      const session = new PackageSession(client, created, options);
      for (const known of this.#sessions) if (!known.deref()) this.#sessions.delete(known);
      this.#sessions.add(new WeakRef(session));
      return session;
    } catch (error) {
      await client.terminate();
      // The package does not say which part failed but in its words.
      const failed = packaged.executionProviders.find(({ name }) => name !== 'cpu' && named(name, error));
      throw failed ? unavailable(failed.name, this.availableProviders, (error as Error).message, error) : error;
    }
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    for (const session of this.#sessions) await session.deref()?.dispose();
  }

  #options(options: SessionOptions): PackageSessionOptions {
    const providers = chooseProviders(options.providers, this.availableProviders);
    return {
      executionProviders: providers.map(({ name, options: settings }) => ({ name, ...settings })),
      graphOptimizationLevel: optimizationLevels[options.graphOptimization ?? 'all'],
      enableCpuMemArena: options.memoryArena ?? true,
      enableMemPattern: options.memoryPattern ?? true,
      logSeverityLevel: logSeverity,
      ...(options.intraOpThreads !== undefined && { intraOpNumThreads: options.intraOpThreads }),
      ...(options.interOpThreads !== undefined &&
        options.interOpThreads > 1 && { interOpNumThreads: options.interOpThreads, executionMode: 'parallel' }),
      ...(options.profile !== undefined && { enableProfiling: true, profileFilePrefix: options.profile }),
      ...(options.optimizedModel !== undefined && { optimizedModelFilePath: options.optimizedModel }),
      ...(options.config && { extra: nested(options.config) }),
      ...(options.weights && { externalData: this.#share(options.weights) }),
    };
  }

  /** The weights in shared memory, copied there once, so that no thread gets a copy of its own. */
  #share({ tensors, whole }: SharedWeights): NonNullable<PackageSessionOptions['externalData']> {
    const copies = this.#weights.get(whole) ?? new Map<string, Uint8Array>();
    this.#weights.set(whole, copies);
    return Object.entries(tensors).map(([path, { data }]) => {
      const copy = copies.get(path) ?? new Uint8Array(new SharedArrayBuffer(data.byteLength));
      if (!copies.has(path)) copy.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      copies.set(path, copy);
      return { path, data: copy };
    });
  }
}

/** `{ 'session.intra_op.allow_spinning': '0' }` as the nested objects that the package takes. */
function nested(config: Readonly<Record<string, string>>): object {
  const root: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(config)) {
    const path = key.split('.');
    let target = root;
    for (const part of path.slice(0, -1)) target = (target[part] ??= {}) as Record<string, unknown>;
    target[path.at(-1) ?? key] = value;
  }
  return root;
}

function named(provider: string, error: unknown): boolean {
  return error instanceof Error && error.message.toLowerCase().includes(provider);
}
