import type { CApi } from './c-api.js';

/**
 * C memory made of JavaScript buffers: the bytes of an ArrayBuffer never move, so an address stays right for as long
 * as the buffer is reachable. Whoever holds an address holds its owner.
 */
export interface Addressed {
  readonly address: bigint;
  /** What must stay reachable for as long as the address is used. */
  readonly owner: unknown;
}

/** An array of addresses, such as the `OrtValue *const *` of a run; `slots` can be read and written. */
export interface PointerArray extends Addressed {
  readonly slots: BigUint64Array;
}

/** An array that holds these addresses. It has room for one at least, since C functions refuse null. */
export function pointerArray(api: CApi, addresses: readonly bigint[]): PointerArray {
  const slots = new BigUint64Array(Math.max(1, addresses.length));
  slots.set(addresses);
  return { slots, address: api.koffi.address(slots), owner: slots };
}

/** An array of NUL-terminated UTF-8 texts, a `const char *const *`. */
export function textArray(api: CApi, texts: readonly string[]): Addressed {
  const buffers = texts.map((text) => new TextEncoder().encode(`${text}\0`));
  const pointers = pointerArray(
    api,
    buffers.map((buffer) => api.koffi.address(buffer)),
  );
  return { address: pointers.address, owner: [pointers.slots, buffers] };
}

/** The NUL-terminated text at an address. */
export function readText(api: CApi, address: bigint): string {
  return address === 0n ? '' : (api.koffi.decode(address, 'char', -1) as string);
}
