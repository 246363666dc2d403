import { UserLlmError } from '@user-llm/tensor';
import { oldestRelease } from '../lowering/releases.js';
import { apiTable, type ApiName, type Parameter } from './api-table.js';
import { importKoffi, type Koffi, type NativeFunction, type NativeLibrary, type Pointer } from './koffi.js';
import { ortError } from './status.js';

/** Stack for calls into ONNX Runtime: what a thread has by default. koffi's own 128 KiB is less than its kernels may use. */
const stackBytes = 8 * 2 ** 20;
const leastStackBytes = 2 ** 20;

type ValueOf<P extends Parameter> = P extends 'pointer'
  ? Pointer | ArrayBufferView
  : P extends 'text' | 'path'
    ? string
    : number;

type Values<Takes extends readonly Parameter[]> = { readonly [Index in keyof Takes]: ValueOf<Takes[Index]> };

/** The values that a function of the C API takes. */
export type Takes<Name extends ApiName> = Values<(typeof apiTable)[Name]['takes']>;

/** What a function of the C API returns; a status is checked, so it returns nothing. */
export type Returns<Name extends ApiName> = (typeof apiTable)[Name]['returns'] extends 'int'
  ? number
  : (typeof apiTable)[Name]['returns'] extends 'text'
    ? string
    : void;

const types: Readonly<Record<Parameter, string>> = {
  pointer: 'void *',
  text: 'str',
  path: process.platform === 'win32' ? 'str16' : 'str',
  int: 'int',
  long: 'int64_t',
  size: 'size_t',
};
const resultTypes = { status: 'void *', nothing: 'void', int: 'int', text: 'str' } as const;

/**
 * ONNX Runtime's C API, called through koffi.
 *
 * Addresses are bigints; a typed array stands for the address of its first byte during a call. An output parameter is
 * a `BigUint64Array` (or whatever its C type is) that is read after the call.
 */
export class CApi {
  readonly koffi: Koffi;
  /** ONNX Runtime's version, such as `1.30.0`. */
  readonly version: string;
  /** Path of the shared library. */
  readonly path: string;
  readonly #functions: Readonly<Record<ApiName, NativeFunction>>;
  /** The values of calls under way: koffi does not keep the buffers among them reachable. */
  readonly #underWay = new Set<readonly unknown[]>();

  private constructor(
    koffi: Koffi,
    path: string,
    version: string,
    functions: Readonly<Record<ApiName, NativeFunction>>,
  ) {
    this.koffi = koffi;
    this.path = path;
    this.version = version;
    this.#functions = functions;
  }

  /**
   * Loads a shared library of ONNX Runtime 1.17 or newer.
   *
   * @throws UserLlmError `no-engine` when koffi or the library cannot be loaded, when it is no ONNX Runtime, or when
   * koffi was set up by others with a stack too small for it; `old-engine` for a version that lacks functions we call or
   * operators of most models.
   */
  static async load(path: string): Promise<CApi> {
    const koffi = await importKoffi().catch((cause: unknown) => {
      throw noEngine('koffi', 'its native part for this platform', cause, 'Reinstall the package koffi.');
    });
    reserveStack(koffi);
    const base = openLibrary(koffi, path);
    // struct OrtApiBase { const OrtApi *(*GetApi)(uint32_t); const char *(*GetVersionString)(void); }
    const [getApi, getVersion] = koffi.decode(base, 'void *', 2) as [bigint, bigint];
    const version = (koffi.decode(getVersion, koffi.proto('str', [])) as NativeFunction)() as string;
    const apiVersion = negotiateApiVersion(version, path);
    const api = (koffi.decode(getApi, koffi.proto('void *', ['uint32_t'])) as NativeFunction)(apiVersion) as Pointer;
    if (api === null) throw oldEngine(version, path);
    return new CApi(koffi, path, version, functionsOf(koffi, api));
  }

  /**
   * Calls a function on this thread.
   *
   * @throws UserLlmError `onnxruntime-...` when it returns an error status.
   */
  call<Name extends ApiName>(name: Name, ...values: Takes<Name>): Returns<Name> {
    const result = this.#functions[name](...values);
    if (apiTable[name].returns === 'status') return this.#check(name, result as Pointer) as Returns<Name>;
    return result as Returns<Name>;
  }

  /**
   * Calls a function on a thread of Node's pool. Buffers among the values stay reachable until it settles; what
   * bare addresses point to is for the caller to hold.
   *
   * @throws UserLlmError `onnxruntime-...` when it returns an error status.
   */
  callAsync<Name extends ApiName>(name: Name, ...values: Takes<Name>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#underWay.add(values);
      this.#functions[name].async(...values, (error: Error | null, status: Pointer) => {
        this.#underWay.delete(values);
        try {
          if (error) throw error;
          resolve(this.#check(name, status));
        } catch (failure) {
          reject(failure as Error);
        }
      });
    });
  }

  /** Calls a function whose last parameter receives an address, and returns that address. */
  create<Name extends ApiName>(name: Name, ...values: WithoutLast<Takes<Name>>): bigint {
    const out = new BigUint64Array(1);
    this.call(name, ...([...values, out] as unknown as Takes<Name>));
    return out[0]!;
  }

  #check(name: ApiName, status: Pointer): void {
    if (status === null || status === 0n) return;
    const failure = { code: this.call('GetErrorCode', status), message: this.call('GetErrorMessage', status) };
    this.call('ReleaseStatus', status);
    throw ortError(name, failure);
  }
}

type WithoutLast<Tuple extends readonly unknown[]> = Tuple extends readonly [...infer First, unknown] ? First : never;

/**
 * The API version to ask a library for: its own, since indexes never change.
 *
 * @param version ONNX Runtime's version, such as `1.30.0`; its minor number is its API version.
 * @throws UserLlmError `old-engine` when it lacks functions that we call, or operators of most models.
 */
export function negotiateApiVersion(version: string, path: string): number {
  const [major, minor] = version.split('.').map(Number);
  if (major !== 1 || minor === undefined || !(minor >= oldestRelease)) throw oldEngine(version, path);
  return minor;
}

function reserveStack(koffi: Koffi): void {
  try {
    koffi.config({ sync_stack_size: stackBytes, async_stack_size: stackBytes });
  } catch (cause) {
    const { sync_stack_size, async_stack_size } = koffi.config();
    if (Math.min(sync_stack_size, async_stack_size) >= leastStackBytes) return;
    throw new UserLlmError('no-engine', {
      what: 'koffi',
      expected: `a stack of at least ${leastStackBytes} bytes for native calls`,
      got: `${async_stack_size}, fixed when another library was loaded before`,
      mend: 'Load this engine before other libraries, or call `koffi.config({ async_stack_size: 8388608 })` at the start.',
      cause,
    });
  }
}

/**
 * Libraries that were opened. koffi unloads a library when its handle is collected, even while functions that were
 * found through its own table are still in use, so the handles are kept to the end of the thread.
 */
const opened = new Map<string, NativeLibrary>();

function openLibrary(koffi: Koffi, path: string): bigint {
  try {
    const library = opened.get(path) ?? koffi.load(path);
    opened.set(path, library);
    const base = library.func('OrtGetApiBase', 'void *', [])() as Pointer;
    if (base !== null) return base;
  } catch (cause) {
    throw noEngine(
      path,
      'a shared library of ONNX Runtime',
      cause,
      'Check the path, and that the library fits this platform.',
    );
  }
  throw noEngine(path, 'a shared library of ONNX Runtime', undefined, 'Check the path.');
}

function functionsOf(koffi: Koffi, api: bigint): Readonly<Record<ApiName, NativeFunction>> {
  const count = Math.max(...Object.values(apiTable).map(({ index }) => index)) + 1;
  const addresses = koffi.decode(api, 'void *', count) as bigint[];
  const entries = Object.entries(apiTable).map(([name, { index, takes, returns }]) => {
    const prototype = koffi.proto(
      resultTypes[returns],
      takes.map((parameter) => types[parameter]),
    );
    return [name, koffi.decode(addresses[index]!, prototype)];
  });
  return Object.fromEntries(entries) as Record<ApiName, NativeFunction>;
}

function noEngine(what: string, expected: string, cause: unknown, mend: string): UserLlmError {
  const got = cause instanceof Error ? cause.message : 'nothing';
  return new UserLlmError('no-engine', { what, expected, got, mend, cause });
}

function oldEngine(version: string, path: string): UserLlmError {
  return new UserLlmError('old-engine', {
    what: `ONNX Runtime ${version} (${path})`,
    expected: `1.${oldestRelease}.0 or newer`,
    got: version,
    mend: 'Use a newer library, or leave `library` away to use the one that onnxruntime-node ships.',
  });
}
