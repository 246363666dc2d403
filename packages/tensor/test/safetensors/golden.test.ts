import { readFile, readdir } from 'node:fs/promises';
import { devNull } from 'node:os';
import { describe, expect, it } from 'vitest';
import { UserLlmError } from '../../src/errors.js';
import { tensor } from '../../src/factories.js';
import { SafetensorsFile } from '../../src/safetensors/safetensors-file.js';
import { writeSafetensors } from '../../src/safetensors/write-safetensors.js';
import type { Tensor } from '../../src/tensor.js';
import { golden } from '../golden.js';
import { temporaryFolder } from '../temporary-folder.js';

const inFolder = temporaryFolder();
const snow = 'quote " backslash \\ newline \n snow \u2603 smile \u{1f600}';

describe('a file that the reference implementation wrote', () => {
  const expected: Record<string, unknown> = {
    float64: [
      [0, -1.5, 3.25],
      [65504, -(2 ** -14), 2 ** -24],
    ],
    float32: [
      [0, -1.5, 3.25],
      [65504, -(2 ** -14), 2 ** -24],
    ],
    float16: [
      [0, -1.5, 3.25],
      [65504, -(2 ** -14), 2 ** -24],
    ],
    bfloat16: [
      [0, -1.5, 3.25],
      [65536, -(2 ** -14), 2 ** -24],
    ],
    int64: [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n],
    int32: [
      [0, 1, -128],
      [127, 100, -1],
    ],
    int8: [
      [0, 1, -128],
      [127, 100, -1],
    ],
    uint8: [0, 1, 255],
    bool: [true, false, true],
    scalar: 0.5,
    empty: [],
    [snow]: [1, 2],
    '\uffff sorts before \u{1f600} by code point': [3],
    '\u{1f600} sorts after': [4],
  };

  it('is read to the last bit', async () => {
    const file = await SafetensorsFile.open(golden('every-dtype.safetensors'));
    expect([...file.names].sort()).toEqual(Object.keys(expected).sort());
    for (const [name, nested] of Object.entries(expected)) {
      const read = await file.read(name);
      expect(read.toNested(), name).toEqual(nested);
      expect(read.dtype).toBe(name in { scalar: 1, empty: 1 } || name.includes(' ') ? 'float32' : name);
    }
    expect((await file.read('empty')).shape).toEqual([0, 4]);
    await file.close();
  });

  it('is written again byte for byte, whatever the order', async () => {
    const path = golden('every-dtype.safetensors');
    const file = await SafetensorsFile.open(path);
    const tensors: [string, Tensor][] = [];
    for (const name of file.names) {
      tensors.unshift([name, await file.read(name)]);
    }
    await file.close();
    const copy = inFolder('copy.safetensors');
    await writeSafetensors(copy, tensors, Object.fromEntries(file.metadata));
    expect(await readFile(copy)).toEqual(await readFile(path));
  });

  it('with a dtype that tensors cannot hold is open for its other tensors', async () => {
    const file = await SafetensorsFile.open(golden('unsupported-dtype.safetensors'));
    expect((await file.read('float32')).toArray()).toEqual([7]);
    expect(file.entry('float8')).toMatchObject({ format: 'F8_E4M3', shape: [2] });
    const error = await file.read('float8').catch((thrown: unknown) => thrown);
    expect(UserLlmError.isInstance(error, 'unsupported-dtype')).toBe(true);
    expect(String(error)).toContain('F8_E4M3');
    await file.close();
  });
});

describe('reading', () => {
  it('gives the axes and the dtype that are asked for', async () => {
    const file = await SafetensorsFile.open(golden('every-dtype.safetensors'));
    const read = await file.read('bfloat16', { axes: ['row', 'column'], dtype: 'float32' });
    expect(read.axes).toEqual(['row', 'column']);
    expect(read.data).toBeInstanceOf(Float32Array);
    expect(read.at(0, 1)).toBe(-1.5);
    expect((await file.read('int32')).axes).toEqual(['axis0', 'axis1']);
    const words = new Uint8Array(12);
    await file.readInto('bfloat16', words);
    expect([...new Uint16Array(words.buffer)]).toEqual([0, 0xbfc0, 0x4050, 0x4780, 0xb880, 0x3380]);
    await file.close();
  });

  it('names what is wrong with a request', async () => {
    const file = await SafetensorsFile.open(golden('every-dtype.safetensors'));
    const refused = async (code: string, request: Promise<unknown>) =>
      expect(UserLlmError.isInstance(await request.catch((error: unknown) => error), code), code).toBe(true);
    await refused('unknown-tensor', file.read('weights'));
    await refused('bad-shape', file.read('float32', { axes: ['row'] }));
    await refused('bad-shape', file.readInto('float32', new Uint8Array(5)));
    await refused('out-of-range', file.read('int64', { dtype: 'int32' }));
    await refused('unreadable-file', SafetensorsFile.open(inFolder('nowhere.safetensors')));
    await refused('unreadable-file', SafetensorsFile.open(inFolder('')));
    await refused('unreadable-file', SafetensorsFile.open(devNull));
    await file.close();
    await file.close();
    await refused('closed', file.read('float32'));
  });
});

describe('writing', () => {
  const one = tensor('float32', ['a'], [1]);
  const refused = async (code: string, writing: Promise<unknown>) =>
    expect(UserLlmError.isInstance(await writing.catch((error: unknown) => error), code), code).toBe(true);

  it('takes maps, lists, generators and lazy tensors alike', async () => {
    async function* later() {
      yield ['b', { dtype: 'float32', shape: [1], read: () => Promise.resolve(one) }] as const;
      yield await Promise.resolve(['a', one] as const);
    }
    await writeSafetensors(
      inFolder('map'),
      new Map([
        ['a', one],
        ['b', one],
      ]),
    );
    await writeSafetensors(inFolder('later'), later());
    expect(await readFile(inFolder('map'))).toEqual(await readFile(inFolder('later')));
    await writeSafetensors(inFolder('nothing'), []);
    const nothing = await SafetensorsFile.open(inFolder('nothing'));
    expect(nothing.names).toEqual([]);
    await nothing.close();
  });

  it('aligns the data to 8 bytes for names of every length', async () => {
    for (let length = 1; length <= 9; length++) {
      const path = inFolder(`aligned-${length}`);
      await writeSafetensors(path, [['n'.repeat(length), one]]);
      expect((await readFile(path)).length % 8).toBe(4);
    }
  });

  it('refuses what such a file cannot hold', async () => {
    const path = inFolder('refused.safetensors');
    await refused(
      'bad-safetensors',
      writeSafetensors(path, [
        ['a', one],
        ['a', one],
      ]),
    );
    await refused('bad-safetensors', writeSafetensors(path, [['__metadata__', one]]));
    await refused('bad-safetensors', writeSafetensors(path, [['\ud800', one]]));
    await refused('bad-safetensors', writeSafetensors(path, [], { step: 1 as never }));
    await refused('bad-safetensors', writeSafetensors(path, [], { half: '\udc00' }));
    for (const wrong of [null, { a: one }, [one], [[5, one]], [['a']], [['a', { dtype: 'float32', shape: [-1] }]]]) {
      await refused('bad-safetensors', writeSafetensors(path, wrong as never));
    }
    const nothing = { dtype: 'float32', shape: [1], read: () => undefined as never } as const;
    await refused('shape-mismatch', writeSafetensors(path, [['a', nothing]]));
    const lazy = { dtype: 'float32', shape: [2], read: () => one } as const;
    await refused('shape-mismatch', writeSafetensors(path, [['a', lazy]]));
    await refused('write-failed', writeSafetensors(inFolder('no/such/folder'), [['a', one]]));
    expect((await readdir(inFolder(''))).filter((name) => name.includes('refused'))).toEqual([]);
  });
});
