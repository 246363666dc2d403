import { createRequire } from 'node:module';

type Test = (value: unknown) => boolean;

/**
 * Gives `node:util` back the two functions that `@tensorflow/tfjs-node` 4.22 calls and that Node.js 23 removed.
 *
 * The package is the last of its line, so it will not be mended there; where the functions exist nothing changes.
 */
export function restoreRemovedUtilities(): void {
  const util = createRequire(import.meta.url)('node:util') as { isNullOrUndefined?: Test; isArray?: Test };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}
