/** The part of koffi that we use; its own declarations say `any` where addresses and values go. */

/** An address, or null. Buffers and typed arrays may stand for their first byte during one call. */
export type Pointer = bigint | null;

/** A C function; `async` runs it on a thread of Node's pool and calls back on the caller's thread. */
export interface NativeFunction {
  (...values: readonly unknown[]): unknown;
  async(...valuesThenCallback: readonly unknown[]): void;
}

/** A loaded shared library; koffi unloads it when this is collected, whatever was decoded from its memory. */
export interface NativeLibrary {
  func(name: string, result: string, takes: readonly string[]): NativeFunction;
}

/** The functions of koffi that the engine calls. */
export interface Koffi {
  load(path: string): NativeLibrary;
  proto(result: string, takes: readonly string[]): object;
  decode(address: bigint | ArrayBufferView, type: string | object, length?: number): unknown;
  address(value: ArrayBufferView): bigint;
  view(address: bigint, bytes: number): ArrayBuffer;
  config(change?: Partial<KoffiConfig>): KoffiConfig;
}

/** koffi's settings that matter here, in bytes; they are fixed once a library is loaded in this thread. */
export interface KoffiConfig {
  readonly sync_stack_size: number;
  readonly async_stack_size: number;
}

/**
 * Loads koffi, only when an engine is asked for.
 *
 * @throws Error of Node when the package or its native part for this platform is not installed.
 */
export async function importKoffi(): Promise<Koffi> {
  const module = (await import('koffi')) as unknown as { readonly default: Koffi };
  return module.default;
}
