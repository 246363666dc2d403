import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { HostTensor } from '../../src/ort/engine.js';
import { loadEngine } from '../../src/ort/load-engine.js';
import { SharedWeights } from '../../src/ort/shared-weights.js';
import { chainModel } from './models.js';

const mebibyte = 2 ** 20;

/** Memory of the process that is not of files: their pages, such as those of programs, come and go as the system likes. */
async function residentMiB(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 10));
  const kibibytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(kibibytes![1]) / 1024;
}

// Alone in its process: what others have freed would be used again, and nothing would be seen to grow. What is freed
// here goes back to the system where the C library is glibc.
it.runIf(process.platform === 'linux')(
  'packs weights once for sessions that share them, and lets go of them',
  async () => {
    const engine = await loadEngine({ engine: 'c-api' });
    const size = 1024;
    const layers = 12;
    const matrix = new Float32Array(size * size).map((_, at) => ((at % 97) - 48) / 900);
    const tensors = Array.from({ length: layers }, (_, layer) => {
      const data = matrix.slice();
      data[0] = layer;
      return [`w${layer}`, { dtype: 'float32' as const, shape: [size, size], data }] as const;
    });
    const weights = new SharedWeights(Object.fromEntries(tensors));
    const bytes = layers * size * size * 4;
    const all = Object.keys(weights.tensors);
    const open = (names: readonly string[]) =>
      engine.createSession(chainModel(size, names), { weights: weights.only(names), intraOpThreads: 1 });
    const before = await residentMiB();
    const first = await open(all);
    const packed = await residentMiB();
    expect(packed - before).toBeGreaterThan(bytes / mebibyte / 2);
    const others = await Promise.all([open(all), open(all.slice(1)), open(all.toReversed())]);
    expect((await residentMiB()) - packed).toBeLessThan(bytes / mebibyte / 2);
    const x: HostTensor = { dtype: 'float32', shape: [1, size], data: new Float32Array(size).fill(1) };
    const wanted = await first.run({ x });
    expect(await others[0].run({ x })).toEqual(wanted);
    for (const session of [first, ...others.slice(1)]) await session.dispose();
    expect(await others[0].run({ x })).toEqual(wanted);
    await others[0].dispose();
    await others[0].dispose();
    expect((await residentMiB()) - before).toBeLessThan(bytes / mebibyte / 2);
    const again = await open(all);
    expect(await again.run({ x })).toEqual(wanted);
    await again.dispose();
    await engine.dispose();
  },
);
