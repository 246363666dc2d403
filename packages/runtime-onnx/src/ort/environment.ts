import { UserLlmError } from '@user-llm/tensor';
import { writeModel } from '../onnx-model.js';
import type { CApi } from './c-api.js';
import type { SessionOptions } from './engine.js';
import { logSeverity } from './log-severity.js';

/** ONNX Runtime's environment, of which a process has one per library: all engines hold the same. */
export interface Environment {
  readonly address: bigint;
  /**
   * How many threads its sessions can share, those that the first engine asked for; undefined where each session has its
   * own. Threads of a session spin for some milliseconds after a run, and slow down the next run of another session.
   */
  readonly sharedThreads: number | undefined;
}

/** By the library's path, the threads that its environment was made with, and the engines that hold it. */
const held = new Map<string, { readonly threads: number | undefined; users: number }>();

/** The environment of a library, with threads to share if it is not there yet; give it back by `closeEnvironment`. */
export function openEnvironment(api: CApi, threads: number | undefined): Environment {
  const known = held.get(api.path);
  const address = create(api, known ? known.threads : threads);
  const shared = known ?? { threads: canShare(api, address) ? threads : undefined, users: 0 };
  shared.users++;
  held.set(api.path, shared);
  return { address, sharedThreads: shared.threads };
}

/** Lets go of an environment; it ends with the last engine that holds it. */
export function closeEnvironment(api: CApi, { address }: Environment): void {
  const shared = held.get(api.path)!;
  if (--shared.users === 0) held.delete(api.path);
  api.call('ReleaseEnv', address);
}

/** Whether a session's threads are those that all share: it asks for as many, and for nothing else about them. */
export function sharesThreads(
  { intraOpThreads, interOpThreads = 1, config = {} }: SessionOptions,
  { sharedThreads }: Environment,
): boolean {
  const isPlain = interOpThreads === 1 && !Object.keys(config).some((key) => key.startsWith('session.intra_op'));
  return sharedThreads !== undefined && intraOpThreads === sharedThreads && isPlain;
}

function create(api: CApi, threads: number | undefined): bigint {
  if (threads === undefined || threads < 2) return api.create('CreateEnv', logSeverity, name);
  const options = api.create('CreateThreadingOptions');
  try {
    api.call('SetGlobalIntraOpNumThreads', options, threads);
    api.call('SetGlobalInterOpNumThreads', options, 1);
    return api.create('CreateEnvWithGlobalThreadPools', logSeverity, name, options);
  } finally {
    api.call('ReleaseThreadingOptions', options);
  }
}

const name = 'user-llm';

/** Whether the environment has threads to share: it has none where others made it in this process before. */
function canShare(api: CApi, environment: bigint): boolean {
  const model = writeModel({
    name: 'probe',
    inputs: [{ name: 'x', dtype: 'float32', shape: [1] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [1] }],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  });
  const options = api.create('CreateSessionOptions');
  const session = new BigUint64Array(1);
  try {
    api.call('SetSessionLogSeverityLevel', options, logSeverity);
    api.call('DisablePerSessionThreads', options);
    const create = 'CreateSessionFromArrayWithPrepackedWeightsContainer';
    api.call(create, environment, model, model.byteLength, options, null, session);
    api.call('ReleaseSession', session[0]!);
    return true;
  } catch (error) {
    if (UserLlmError.isInstance(error)) return false;
    throw error;
  } finally {
    api.call('ReleaseSessionOptions', options);
  }
}
