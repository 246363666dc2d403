import { UserLlmError } from '@user-llm/tensor';
import { engineNames, type Engine, type EngineName } from './engine.js';
import { findNative, startNative, usesGpu } from './native.js';
import { startWasm } from './wasm.js';

/** What `loadEngine` may be told. */
export interface EngineOptions {
  /** This engine and no other; without it the first of `tfjs-node-gpu`, `tfjs-node` and `wasm` that starts. */
  readonly engine?: EngineName;
  /** Threads that a kernel may use; all processors unless given. Fixed once the engine has started. */
  readonly threads?: number;
  /** Where the one warning goes when what is installed does not start; `process.emitWarning` unless given. */
  readonly warn?: (message: string) => void;
}

// An engine is a part of the process, so whoever asks for it again gets the same one.
const started = new Map<EngineName, Engine>();
let last: Promise<unknown> = Promise.resolve();

/**
 * Starts an engine, or returns the one that runs already. Nothing is loaded before it is called.
 *
 * @throws UserLlmError `bad-option` for an unknown engine or a bad number of threads, `engine-missing` when the engine
 *   asked for is not installed, `engine-cannot-start` when it is but does not work, `threads-fixed` when it runs with
 *   another number of threads.
 */
export function loadEngine(options: EngineOptions = {}): Promise<Engine> {
  checkOptions(options);
  // One after another: starting touches what the whole process shares.
  const loaded = last.then(() => (options.engine ? startChosen(options.engine, options) : startFirst(options)));
  last = loaded.catch(() => undefined);
  return loaded;
}

/** The engines whose packages are installed, in the order of preference; none is loaded. */
export function installedEngines(): EngineName[] {
  return engineNames.filter((name) => name === 'wasm' || findNative(name) !== undefined);
}

async function startChosen(name: EngineName, options: EngineOptions): Promise<Engine> {
  const engine = await startOne(name, options);
  report([], engine, options);
  return engine;
}

async function startFirst(options: EngineOptions): Promise<Engine> {
  const complaints: string[] = [];
  for (const name of installedEngines()) {
    try {
      const engine = await startOne(name, options);
      report(complaints, engine, options);
      return engine;
    } catch (error) {
      if (!UserLlmError.isInstance(error, 'engine-cannot-start') || name === 'wasm') throw error;
      complaints.push(error.message);
    }
  }
  throw missing('a TensorFlow.js engine');
}

async function startOne(name: EngineName, { threads }: EngineOptions): Promise<Engine> {
  const running = started.get(name);
  if (running) {
    checkThreads(running, threads);
    return running;
  }
  const engine = await quietly(async () => (name === 'wasm' ? startWasm(threads) : startInstalled(name, threads)));
  started.set(name, engine);
  return engine;
}

/** Calls `body` without TensorFlow.js's remark on a second copy of itself, which a native package brings along. */
async function quietly<T>(body: () => Promise<T>): Promise<T> {
  const environments = [...started.values()].map(({ tf }) => tf.env());
  const before = environments.map((environment) => environment.getBool('PROD'));
  environments.forEach((environment) => environment.set('PROD', true));
  try {
    return await body();
  } finally {
    environments.forEach((environment, index) => environment.set('PROD', before[index]!));
  }
}

function startInstalled(name: Exclude<EngineName, 'wasm'>, threads: number | undefined): Engine {
  const path = findNative(name);
  if (path === undefined) throw missing(`@tensorflow/${name}`);
  const other = [...started.values()].find(({ backend }) => backend === 'tensorflow');
  if (other) {
    throw new UserLlmError('engine-cannot-start', {
      what: `@tensorflow/${name}`,
      expected: 'one native TensorFlow in a process',
      got: `@tensorflow/${other.name}, which runs already`,
      mend: 'Use that one, or another process.',
    });
  }
  return startNative(name, path, threads);
}

/** Gives the one warning, if there is anything to warn about. */
function report(failures: readonly string[], engine: Engine, { warn }: EngineOptions): void {
  const complaints = [...failures];
  if (engine.name === 'tfjs-node-gpu' && !usesGpu(engine)) {
    complaints.push('@tensorflow/tfjs-node-gpu finds no GPU. Check the driver and the CUDA libraries.');
  }
  if (complaints.length === 0) return;
  const device = engine.name === 'tfjs-node-gpu' ? 'tfjs-node-gpu, on the CPU' : engine.name;
  const message = `${complaints.join(' ')} Running on ${device}.`;
  if (warn) warn(message);
  else process.emitWarning(message, { type: 'UserLlmWarning', code: 'engine-fallback' });
}

function checkOptions({ engine, threads }: EngineOptions): void {
  if (engine !== undefined && !engineNames.includes(engine)) {
    throw new UserLlmError('bad-option', {
      what: 'engine of runtime-tfjs',
      expected: engineNames.join(', '),
      got: JSON.stringify(engine),
      mend: `Installed here: ${installedEngines().join(', ')}.`,
    });
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new UserLlmError('bad-option', {
      what: 'threads of runtime-tfjs',
      expected: 'a whole number from 1 up',
      got: `${threads}`,
    });
  }
}

function checkThreads(engine: Engine, threads: number | undefined): void {
  if (threads === undefined || threads === engine.threads) return;
  throw new UserLlmError('threads-fixed', {
    what: `threads of ${engine.name}`,
    expected:
      engine.threads === undefined ? 'no number, as when it was started' : `${engine.threads}, as when it was started`,
    got: `${threads}`,
    mend: 'Ask for that number at the first use in the process, or use another process.',
  });
}

function missing(what: string): UserLlmError {
  return new UserLlmError('engine-missing', {
    what,
    expected: 'an installed package',
    got: `only ${installedEngines().join(', ')}`,
    mend: 'Install it with npm, or build it with tools/tfjs-node and set USER_LLM_TFJS_NODE to the folder that it prints.',
  });
}
