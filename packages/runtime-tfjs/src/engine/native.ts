import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';
import type { Engine, TensorFlow } from './engine.js';
import { restoreRemovedUtilities } from './node-shim.js';

/** The packages that carry TensorFlow itself. */
export type NativeName = 'tfjs-node' | 'tfjs-node-gpu';

/** The backend of the native packages, as far as it is used here. */
interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
}

/**
 * The path of a native package: in the folder that `USER_LLM_TFJS_NODE` names if it is there, else wherever Node
 * finds it from the working folder or from this package.
 *
 * @returns `undefined` when it is not installed.
 */
export function findNative(name: NativeName): string | undefined {
  const built = process.env['USER_LLM_TFJS_NODE'];
  const folders = [...(built ? [resolve(built)] : []), process.cwd()];
  for (const from of [...folders.map((folder) => join(folder, 'package.json')), import.meta.url]) {
    try {
      return createRequire(from).resolve(`@tensorflow/${name}`);
    } catch {
      // Not installed here; the next place may have it.
    }
  }
  return undefined;
}

/**
 * Starts TensorFlow through its native addon.
 *
 * @param path Of the package, from `findNative`.
 * @param threads Threads of one kernel; as many as TensorFlow likes when absent.
 * @throws UserLlmError `engine-cannot-start` when the package is there but does not work, such as without its binary.
 */
export function startNative(name: NativeName, path: string, threads: number | undefined): Engine {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  if (threads !== undefined) {
    process.env['TF_NUM_INTRAOP_THREADS'] = `${threads}`;
    process.env['TF_NUM_INTEROP_THREADS'] = '1';
  }
  restoreRemovedUtilities();
  const require = createRequire(path);
  try {
    const tf = require(path) as TensorFlow;
    if (tf.getBackend() !== 'tensorflow') throw new Error(`it selected the backend ${tf.getBackend()}`);
    // A library of another platform or version shows itself at the first kernel.
    tf.tidy(() => tf.add(1, 1).dataSync());
    return { name, backend: 'tensorflow', tf, threads };
  } catch (error) {
    withdraw(require);
    throw new UserLlmError('engine-cannot-start', {
      what: `@tensorflow/${name} at ${path}`,
      expected: 'a package whose native addon loads',
      got: error instanceof Error ? error.message.split('\n')[0]! : String(error),
      mend: mendNative(name),
      cause: error,
    });
  }
}

/** Whether a started native engine computes on a GPU. */
export function usesGpu({ tf }: Engine): boolean {
  return (tf.backend() as unknown as NativeBackend).isUsingGpuDevice;
}

function mendNative(name: NativeName): string {
  const major = Number.parseInt(process.versions.node, 10);
  const gpu = name === 'tfjs-node-gpu' ? ' It also needs the CUDA libraries that it was built for.' : '';
  return major > 22
    ? `Use Node.js 20 or 22, for which its native addon is made.${gpu}`
    : `Run "npm rebuild @tensorflow/${name}", or build the addon with tools/tfjs-node and set USER_LLM_TFJS_NODE to the folder that it prints.${gpu}`;
}

/** Takes back the kernels that a package registered before it failed, so that the next one can register its own. */
function withdraw(require: NodeJS.Require): void {
  let tf: TensorFlow;
  try {
    tf = require('@tensorflow/tfjs') as TensorFlow;
  } catch {
    return; // Without the library nothing can have been registered.
  }
  if (tf.findBackendFactory('tensorflow') !== null) tf.removeBackend('tensorflow');
  for (const { kernelName } of tf.getKernelsForBackend('tensorflow')) tf.unregisterKernel(kernelName, 'tensorflow');
}
