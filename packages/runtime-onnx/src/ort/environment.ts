import { UserLlmError } from '@user-llm/tensor';
import { writeModel } from '../onnx-model.js';
import type { CApi } from './c-api.js';
import type { SessionOptions } from './engine.js';
import { logSeverity } from './log-severity.js';

/** ONNX Runtime's environment, of which a process has one per library: all engines hold the same. */
export interface Environment {
  readonly address: bigint;
  /**
   * The threads that its sessions can share, as many as the first engine asked for; undefined where each session has its
   * own. Threads of a session spin for some milliseconds after a run, and slow down the next run of another session.
   */
  readonly shared: SharedThreads | undefined;
}

/** Threads inside an operator; ONNX Runtime's default number of them when undefined. */
interface SharedThreads {
  readonly threads: number | undefined;
}

interface Held extends SharedThreads {
  readonly canShare: boolean;
  /** Engines that hold the environment. */
  users: number;
}

/** By the library's path. */
const held = new Map<string, Held>();

/** The environment of a library, with threads to share if it is not there yet; give it back by `closeEnvironment`. */
export function openEnvironment(api: CApi, threads: number | undefined): Environment {
  const known = held.get(api.path);
  const address = create(api, known ? known.threads : threads);
  const now = known ?? { threads, canShare: threads !== 1 && canShare(api, address), users: 0 };
  now.users++;
  held.set(api.path, now);
  return { address, shared: now.canShare ? now : undefined };
}

/** Lets go of an environment; it ends with the last engine that holds it. */
export function closeEnvironment(api: CApi, { address }: Environment): void {
  const known = held.get(api.path)!;
  if (--known.users === 0) held.delete(api.path);
  api.call('ReleaseEnv', address);
}

/** Settings that belong to a session's own threads. */
const ownSettings = /^session\.(intra_op|dynamic_block_base|set_denormal_as_zero)/;

/** Whether a session's threads are those that all share: it asks for as many, and for nothing else about them. */
export function sharesThreads(
  { intraOpThreads, interOpThreads = 1, config = {} }: SessionOptions,
  { shared }: Environment,
): boolean {
  const isPlain = interOpThreads === 1 && !Object.keys(config).some((key) => ownSettings.test(key));
  return shared !== undefined && intraOpThreads === shared.threads && isPlain;
}

function create(api: CApi, threads: number | undefined): bigint {
  if (threads === 1) return api.create('CreateEnv', logSeverity, name);
  const options = api.create('CreateThreadingOptions');
  try {
    api.call('SetGlobalIntraOpNumThreads', options, threads ?? ownChoice);
    api.call('SetGlobalInterOpNumThreads', options, 1);
    return api.create('CreateEnvWithGlobalThreadPools', logSeverity, name, options);
  } finally {
    api.call('ReleaseThreadingOptions', options);
  }
}

const name = 'user-llm';
/** ONNX Runtime chooses: a thread for each physical core. */
const ownChoice = 0;

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
