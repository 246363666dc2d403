/**
 * One tsup configuration for every package: JavaScript only, types come from `tsc -b`.
 *
 * @param {string[]} entry The doors of the package; `src/index.ts` unless it has more (`src/testing.ts`).
 */
export const library = (entry = ['src/index.ts']) => ({
  entry,
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  dts: false,
  sourcemap: true,
  clean: false,
  splitting: true,
  tsconfig: 'tsconfig.lib.json',
});
