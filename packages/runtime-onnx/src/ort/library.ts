import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';

/** The names that ONNX Runtime's shared library has on each platform, best first. */
const fileNames: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ['libonnxruntime.so.1', 'libonnxruntime.so'],
  darwin: ['libonnxruntime.1.dylib', 'libonnxruntime.dylib'],
  win32: ['onnxruntime.dll'],
};

/**
 * The path of the shared library that `onnxruntime-node` ships for this platform.
 *
 * @throws UserLlmError `no-engine` when the package is not installed or has no library for this platform.
 */
export function packagedLibrary(platform: NodeJS.Platform = process.platform, arch: string = process.arch): string {
  const folder = join(packageFolder(), 'bin', 'napi-v6', platform, arch);
  const path = (fileNames[platform] ?? []).map((name) => join(folder, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new UserLlmError('no-engine', {
      what: 'ONNX Runtime',
      expected: `a library for ${platform}-${arch} in ${folder}`,
      got: 'none',
      mend: 'Give the path of an ONNX Runtime library as `library`.',
    });
  }
  return path;
}

/**
 * The folder of the installed `onnxruntime-node` package.
 *
 * @throws UserLlmError `no-engine` when it is not installed.
 */
export function packageFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch (cause) {
    throw new UserLlmError('no-engine', {
      what: 'onnxruntime-node',
      expected: 'the package to be installed',
      got: 'no such package',
      mend: 'Run `ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node`.',
      cause,
    });
  }
}
