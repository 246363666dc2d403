import type { Koffi, NativeFunction } from './koffi.js';

/** Gives memory that was freed back to the system. */
export type TrimMemory = () => Promise<void>;

/**
 * What gives memory that was freed back to the system, where the C library would keep it for the thread that had it:
 * sessions are made on several threads, and each frees packed weights as large as the model when another session has
 * the same. Nothing where the C library is not glibc.
 */
export function trimMemory(koffi: Koffi): TrimMemory {
  const trim = process.platform === 'linux' ? mallocTrim(koffi) : undefined;
  return () =>
    new Promise((resolve) => {
      if (trim) trim.async(0, () => resolve());
      else resolve();
    });
}

function mallocTrim(koffi: Koffi): NativeFunction | undefined {
  try {
    return koffi.load('libc.so.6').func('malloc_trim', 'int', ['size_t']);
  } catch {
    return undefined;
  }
}
