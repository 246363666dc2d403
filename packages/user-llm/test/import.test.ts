import { expect, it } from 'vitest';

/** Native libraries that this process has loaded. */
function libraries(): string[] {
  const { sharedObjects } = process.report.getReport() as unknown as { readonly sharedObjects: readonly string[] };
  return sharedObjects.filter((path) => /onnxruntime|koffi|tfjs|duckdb/.test(path));
}

it('importing the package loads no engine; the first question does', async () => {
  const { smallModel, history } = await import('./world.js');
  const model = await smallModel();
  expect(libraries()).toEqual([]);
  await model.encode(history('u', [1, 2]));
  expect(libraries()).not.toEqual([]);
  await model.dispose();
}, 60_000);
