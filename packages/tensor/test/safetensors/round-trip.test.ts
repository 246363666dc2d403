import { describe, expect, it } from 'vitest';
import { equal } from '../../src/compare.js';
import { dtypes } from '../../src/dtype.js';
import { tensor, zeros } from '../../src/factories.js';
import { SafetensorsFile } from '../../src/safetensors/safetensors-file.js';
import { writeSafetensors } from '../../src/safetensors/write-safetensors.js';
import type { Tensor } from '../../src/tensor.js';
import { temporaryFolder } from '../temporary-folder.js';

const inFolder = temporaryFolder();

describe('what is written is read again', () => {
  const tensors: [string, Tensor][] = [
    ...dtypes.map((dtype): [string, Tensor] => [dtype, zeros(dtype, ['a', 'b'], [2, 3])]),
    [
      'view',
      tensor(
        'float32',
        ['a', 'b'],
        [
          [1, 2, 3],
          [4, 5, NaN],
        ],
      ).transpose('a', 'b'),
    ],
    ['scalar', zeros('int64', [], [])],
    ['empty', zeros('bool', ['a', 'b'], [0, 7])],
    ['"quoted" \u{1f600} \u2028\n', tensor('int64', ['a'], [2n ** 63n - 1n, -(2n ** 63n)])],
    ['__proto__', tensor('bool', ['a'], [true, false])],
  ];

  it('with every dtype, views, scalars, empty tensors and odd names', async () => {
    const path = inFolder('all.safetensors');
    await writeSafetensors(path, tensors, { step: '12' });
    const file = await SafetensorsFile.open(path);
    expect([...file.names].sort()).toEqual(tensors.map(([name]) => name).sort());
    expect(file.metadata.get('step')).toBe('12');
    for (const [name, written] of tensors) {
      expect(equal(await file.read(name, { axes: written.axes }), written.contiguous()), name).toBe(true);
    }
    await file.close();
  });
});
