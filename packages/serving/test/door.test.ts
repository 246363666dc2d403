import { expect, it } from 'vitest';

it('loads no native add-on when it is imported', async () => {
  const native = () =>
    (process.report.getReport() as { sharedObjects: string[] }).sharedObjects.filter((path) =>
      /lmdb|onnx|koffi/.test(path),
    );
  await import('../src/index.js');
  expect(native()).toEqual([]);
  await import('lmdb');
  expect(native()).toHaveLength(1);
});
