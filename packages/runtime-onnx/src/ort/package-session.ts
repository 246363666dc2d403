import { readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isDType } from '@user-llm/tensor';
import { unsupportedDtype } from '../element-type.js';
import type {
  Binding,
  EngineSession,
  Feeds,
  Fetches,
  HostTensor,
  Results,
  RunOptions,
  SessionOptions,
  ValueInfo,
} from './engine.js';
import { checkFeeds, checkFetches } from './host-tensor.js';
import { PackageBinding } from './package-binding.js';
import type { Reply, Request } from './package-protocol.js';
import { answered, ownElements, sameMemory, takeResults } from './package-replies.js';
import { aborted, disposed, notProfiling } from './session-errors.js';
import type { WorkerClient } from './worker-client.js';

/** Ends the threads of sessions that were dropped without `dispose`. */
let dropped: FinalizationRegistry<WorkerClient> | undefined;

/** A session of onnxruntime-node in a thread of its own: runs take turns, and every tensor is copied there and back. */
export class PackageSession implements EngineSession {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly #client: WorkerClient;
  readonly #profile: string | undefined;
  readonly #running = new Set<Promise<unknown>>();
  readonly #allOutputs: Fetches;
  #profiling: boolean;
  #disposed = false;

  /**
   * @param created The worker's answer to `create`.
   * @throws UserLlmError `unsupported-dtype` for inputs and outputs of types that tensors here do not have.
   */
  constructor(client: WorkerClient, created: Reply, options: SessionOptions) {
    this.#client = client;
    this.inputs = supported(created.inputs ?? []);
    this.outputs = supported(created.outputs ?? []);
    this.#allOutputs = Object.fromEntries(this.outputs.map(({ name }) => [name, null]));
    this.#profile = options.profile;
    this.#profiling = options.profile !== undefined;
    dropped ??= new FinalizationRegistry((lost) => void lost.terminate());
    dropped.register(this, client, this);
  }

  async run(feeds: Feeds, fetches: Fetches = this.#allOutputs, { signal }: RunOptions = {}): Promise<Results> {
    const request = this.#request(feeds, fetches);
    if (signal?.aborted) throw aborted(signal);
    const reply = this.#client.ask(request);
    const noted = reply.catch(() => undefined);
    this.#running.add(noted);
    void noted.then(() => this.#running.delete(noted));
    return takeResults(await unlessAborted(reply, signal), fetches);
  }

  runSync(feeds: Feeds, fetches: Fetches = this.#allOutputs): Results {
    return takeResults(this.#client.askSync(this.#request(feeds, fetches)), fetches);
  }

  bind(feeds: Feeds, fetches: Fetches = this.#allOutputs): Binding {
    this.#request(feeds, fetches);
    return new PackageBinding(this, feeds, fetches);
  }

  async endProfiling(): Promise<string> {
    if (this.#disposed) throw disposed('session');
    if (!this.#profiling) throw notProfiling();
    this.#profiling = false;
    answered(await this.#client.ask({ kind: 'end-profiling' }), 'profiling');
    return newestProfile(this.#profile ?? '');
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    dropped?.unregister(this);
    await Promise.all(this.#running);
    await this.#client.ask({ kind: 'dispose' }).catch(() => undefined);
    await this.#client.terminate();
  }

  #request(feeds: Feeds, fetches: Fetches): Omit<Extract<Request, { kind: 'run' }>, 'id'> {
    if (this.#disposed) throw disposed('session');
    checkFeeds(this.inputs, feeds);
    checkFetches(this.outputs, fetches);
    const inPlace = (output: HostTensor | null): { readonly inPlaceOf?: string } => {
      const input = output && Object.entries(feeds).find(([, tensor]) => sameMemory(tensor, output));
      return input ? { inPlaceOf: input[0] } : {};
    };
    return {
      kind: 'run',
      feeds: Object.entries(feeds).map(([name, { dtype, shape, data }]) => ({
        name,
        dtype,
        shape,
        data: ownElements(data),
      })),
      fetches: Object.entries(fetches).map(([name, output]) => ({ name, ...inPlace(output) })),
    };
  }
}

/** The native run cannot be stopped: its reply is dropped, and the next run waits for it. */
function unlessAborted(reply: Promise<Reply>, signal: AbortSignal | undefined): Promise<Reply> {
  if (signal === undefined) return reply;
  return new Promise((resolvePromise, reject) => {
    const stop = (): void => {
      reject(aborted(signal));
    };
    signal.addEventListener('abort', stop, { once: true });
    reply.then(resolvePromise, reject).finally(() => {
      signal.removeEventListener('abort', stop);
    });
  });
}

function supported(values: readonly ValueInfo[]): readonly ValueInfo[] {
  for (const { name, dtype } of values) if (!isDType(dtype)) throw unsupportedDtype(name, dtype);
  return values;
}

/** ONNX Runtime names a profile by its prefix and the time; the package does not say how. */
function newestProfile(prefix: string): string {
  const folder = dirname(resolve(prefix));
  const names = readdirSync(folder).filter((name) => name.startsWith(`${basename(prefix)}_`) && name.endsWith('.json'));
  return join(folder, names.sort().at(-1) ?? '');
}
