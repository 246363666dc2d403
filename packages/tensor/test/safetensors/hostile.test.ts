import { truncate, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { UserLlmError } from '../../src/errors.js';
import { SafetensorsFile } from '../../src/safetensors/safetensors-file.js';
import { temporaryFolder } from '../temporary-folder.js';
import { fileOf, readEverything } from './hostile-file.js';

const inFolder = temporaryFolder();

async function refusal(bytes: Uint8Array): Promise<string> {
  const path = inFolder('hostile.safetensors');
  await writeFile(path, bytes);
  const error = await readEverything(path).catch((thrown: unknown) => thrown);
  expect(UserLlmError.isInstance(error, 'bad-safetensors')).toBe(true);
  return String(error);
}

const entry = (dtype: unknown, shape: unknown, ...offsets: unknown[]) => ({ dtype, shape, data_offsets: offsets });
const eight = new Uint8Array(8);

describe('a header that does not fit its data is refused', () => {
  it.each<[string, object, number]>([
    ['bytes missing at the end', { a: entry('F32', [3], 0, 12) }, 8],
    ['bytes left at the end', { a: entry('F32', [1], 0, 4) }, 8],
    ['data without tensors', {}, 8],
    ['a hole', { a: entry('U8', [2], 0, 2), b: entry('U8', [4], 4, 8) }, 8],
    ['a hole at the start', { a: entry('U8', [4], 4, 8) }, 8],
    ['an overlap', { a: entry('U8', [6], 0, 6), b: entry('U8', [4], 4, 8) }, 8],
    ['the same bytes twice', { a: entry('U8', [8], 0, 8), b: entry('U8', [8], 0, 8) }, 8],
    ['too few bytes for the shape', { a: entry('F32', [4], 0, 8) }, 8],
    ['too many bytes for the shape', { a: entry('F32', [1], 0, 8) }, 8],
    ['offsets the wrong way round', { a: entry('F32', [0], 8, 0) }, 8],
    ['offsets beyond the file', { a: entry('U8', [2 ** 40], 0, 2 ** 40) }, 8],
    ['sizes whose product overflows', { a: entry('F32', [2 ** 32, 2 ** 32, 2 ** 32], 0, 8) }, 8],
    ['sizes whose product wraps to what is there', { a: entry('U8', [2 ** 32, 2 ** 32, 8], 0, 8) }, 8],
    ['sizes whose product overflows before a zero', { a: entry('U8', [2 ** 40, 2 ** 40, 0], 0, 0) }, 0],
    ['a negative size', { a: entry('U8', [-8], 0, 8) }, 8],
    ['two negative sizes', { a: entry('U8', [-2, -4], 0, 8) }, 8],
    ['a fractional size', { a: entry('F32', [2.5], 0, 10) }, 10],
    ['an unsafe size', { a: entry('U8', [2 ** 60], 0, 8) }, 8],
    ['a negative offset', { a: entry('U8', [8], -8, 0) }, 8],
    ['an offset that is text', { a: entry('U8', [8], '0', 8) }, 8],
    ['three offsets', { a: entry('U8', [8], 0, 8, 8) }, 8],
    ['one offset', { a: entry('U8', [8], 8) }, 8],
    ['a shape that is a number', { a: entry('U8', 8, 0, 8) }, 8],
    ['a shape of nested lists', { a: entry('U8', [[8]], 0, 8) }, 8],
    ['an unknown dtype', { a: entry('F33', [2], 0, 8) }, 8],
    ['a dtype of Object.prototype', { a: entry('constructor', [8], 0, 8) }, 8],
    ['a dtype that is a number', { a: entry(32, [2], 0, 8) }, 8],
    ['half a byte', { a: entry('F4', [15], 0, 8) }, 8],
    ['a tensor that is null', { a: null }, 0],
    ['a tensor that is a list', { a: [] }, 0],
    ['a tensor without dtype', { a: { shape: [8], data_offsets: [0, 8] } }, 8],
    ['a tensor with something more', { a: { ...entry('U8', [8], 0, 8), strides: [1] } }, 8],
    ['metadata that are a list', { __metadata__: [] }, 0],
    ['metadata that are not text', { __metadata__: { step: 1 } }, 0],
  ])('%s', async (_, header, dataBytes) => {
    const message = await refusal(fileOf(JSON.stringify(header), new Uint8Array(dataBytes)));
    expect(message).toMatch(/expected .*got /s);
  });

  it('a BOOL that is neither 0 nor 1', async () => {
    const header = JSON.stringify({ a: entry('BOOL', [2], 0, 2) });
    expect(await refusal(fileOf(header, new Uint8Array([1, 2])))).toContain('BOOL');
  });
});

describe('a header that is no header is refused', () => {
  const good = JSON.stringify({ a: entry('U8', [8], 0, 8) });
  it.each<[string, string | Uint8Array]>([
    ['empty', ''],
    ['white space', '        '],
    ['a list', '[]'],
    ['a text', '"abc"'],
    ['a number', '12345678'],
    ['cut short', good.slice(0, -1)],
    ['followed by more', `${good} {}`],
    ['led by white space', ` ${good}`],
    ['led by a byte order mark', `\ufeff${good}`],
    ['with a comma too many', good.replace('}}', '},}')],
    ['with single quotes', good.replaceAll('"', "'")],
    ['with a comment', good.replace('{', '{/* */')],
    ['with a line break in a text', good.replace('"a"', '"a\n"')],
    ['with an unknown escape', good.replace('"a"', '"\\x41"')],
    ['with half a surrogate pair', good.replace('"a"', '"\\ud800"')],
    ['with an open text', '{"a'],
    ['with an open escape', '{"a\\'],
    ['with NaN', good.replace('[8]', '[NaN]')],
    ['with a leading zero', good.replace('[8]', '[08]')],
    ['with a key twice', good.replace('}}', '},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}')],
    [
      'with a key twice, once escaped',
      good.replace('}}', '},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[8,8]}}'),
    ],
    ['with a member twice', good.replace('"shape":[8]', '"shape":[8],"shape":[8]')],
    ['with two metadata', `{"__metadata__":{},"__metadata__":{},${good.slice(1)}`],
    ['that is not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['with an overlong encoding', new Uint8Array([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x7d])],
  ])('%s', async (_, header) => {
    await refusal(fileOf(header, eight));
  });

  it.each([
    ['objects', '{"a":'.repeat(100_000)],
    ['lists', `{"a":${'['.repeat(100_000)}`],
  ])('deep nesting of %s, before the stack overflows', async (_, header) => {
    expect(await refusal(fileOf(header, eight))).toContain('nesting of at most 3');
  });

  it.each<[string, Uint8Array]>([
    ['an empty file', new Uint8Array(0)],
    ['seven bytes', new Uint8Array(7)],
    ['a header longer than the file', fileOf('{}', eight, 1000n)],
    ['a header of 2^63 bytes', fileOf('{}', eight, 2n ** 63n)],
    ['a header of 2^64 - 1 bytes', fileOf('{}', eight, 2n ** 64n - 1n)],
    ['a header that ends inside itself', fileOf(good, eight, 20n)],
  ])('%s', async (_, bytes) => {
    await refusal(bytes);
  });

  it('longer than 100 MB, in a file that is long enough', async () => {
    const path = inFolder('long.safetensors');
    await writeFile(path, fileOf('{}', eight, 100_000_001n));
    await truncate(path, 200_000_000); // sparse: takes no room
    await expect(SafetensorsFile.open(path)).rejects.toMatchObject({ code: 'bad-safetensors' });
  });
});

describe('what is unusual but right is read', () => {
  const info = (dtype: string, shape: number[], begin: number, end: number) =>
    JSON.stringify({ shape, dtype, data_offsets: [begin, end] });
  it.each<[string, string, string[], number]>([
    ['white space and escapes', `{ "\\u0061" :\n${info('U8', [2, 4], 0, 8)} }   `, ['a'], 8],
    ['tensors out of order', `{"b":${info('U8', [4], 4, 8)},"a":${info('U8', [4], 0, 4)}}`, ['a', 'b'], 8],
    ['unaligned tensors', `{"a":${info('U8', [1], 0, 1)},"b":${info('F64', [1], 1, 9)}}`, ['a', 'b'], 9],
    ['special names', `{"__proto__":${info('U8', [8], 0, 8)},"":${info('U8', [0], 8, 8)}}`, ['__proto__', ''], 8],
    [
      'an empty tensor in between',
      `{"a":${info('U8', [4], 0, 4)},"z":${info('F64', [0, 9], 4, 4)},"b":${info('U8', [4], 4, 8)}}`,
      ['a', 'z', 'b'],
      8,
    ],
    ['nothing', '{}', [], 0],
  ])('%s', async (_, header, names, dataBytes) => {
    const path = inFolder('unusual.safetensors');
    const data = Uint8Array.from({ length: dataBytes }, (_, index) => index);
    await writeFile(path, fileOf(header, data));
    const tensors = await readEverything(path);
    expect([...tensors.keys()]).toEqual(names);
    const read = [...tensors.values()].map(({ data: { buffer } }) => Buffer.from(buffer));
    expect(Buffer.concat(read)).toEqual(Buffer.from(data));
  });
});
