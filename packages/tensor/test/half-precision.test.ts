import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  decodeBfloat16,
  decodeBfloat16Array,
  decodeFloat16,
  decodeFloat16Array,
  encodeBfloat16,
  encodeFloat16,
} from '../src/half-precision.js';
import { SafetensorsFile } from '../src/safetensors/safetensors-file.js';
import { golden } from './golden.js';

const formats = [
  { name: 'float16', encode: encodeFloat16, decode: decodeFloat16, decodeArray: decodeFloat16Array, infinity: 0x7c00 },
  {
    name: 'bfloat16',
    encode: encodeBfloat16,
    decode: decodeBfloat16,
    decodeArray: decodeBfloat16Array,
    infinity: 0x7f80,
  },
] as const;

const everyWord = Uint16Array.from({ length: 2 ** 16 }, (_, word) => word);

describe.each(formats)('$name', ({ name, encode, decode, decodeArray, infinity }) => {
  const quietNaN = name === 'float16' ? 0x7e00 : 0x7fc0;
  const isNaNWord = (word: number) => (word & 0x7fff) > infinity;

  it('gives all 65,536 words back, NaN as the one quiet NaN', () => {
    const wrong = everyWord.filter((word) => encode(decode(word)) !== (isNaNWord(word) ? quietNaN : word));
    expect(wrong).toHaveLength(0);
  });

  it('decodes all 65,536 words one by one and in bulk alike', () => {
    const bulk = decodeArray(everyWord);
    expect(everyWord.filter((word) => !Object.is(bulk[word], decode(word)))).toHaveLength(0);
    expect(everyWord.filter((word) => Number.isNaN(decode(word)) !== isNaNWord(word))).toHaveLength(0);
  });

  it('decodes all words as PyTorch does', async () => {
    const file = await SafetensorsFile.open(golden('half-precision.safetensors'));
    await file.close();
    const digest = new RegExp(`; ${name} ([0-9a-f]{64})`).exec(file.metadata.get('made_by') ?? '')?.[1];
    const signedOrder = Uint16Array.from(everyWord, (word) => word ^ 0x8000);
    const decoded = decodeArray(signedOrder).map((value) => (Number.isNaN(value) ? 0 : value));
    expect(createHash('sha256').update(decoded).digest('hex')).toBe(digest);
  });

  it('rounds to the nearest of all neighbours, ties to even, also among subnormals', () => {
    const wrong: number[] = [];
    const beside = 1 + 2 ** -40;
    for (let low = 0; low + 1 < infinity; low++) {
      const tie = (decode(low) + decode(low + 1)) / 2; // exact: one bit more than the format has
      const even = low % 2 === 0 ? low : low + 1;
      const found = [tie / beside, tie, tie * beside, -tie / beside, -tie, -tie * beside].map(encode);
      const right = [low, even, low + 1, low | 0x8000, even | 0x8000, (low + 1) | 0x8000];
      if (String(found) !== String(right)) {
        wrong.push(low);
      }
    }
    expect(wrong).toHaveLength(0);
  });

  it('overflows to infinity from half a unit beyond the largest on', () => {
    const largest = decode(infinity - 1);
    const halfUnit = (largest - decode(infinity - 2)) / 2;
    expect(encode(largest + halfUnit * (1 - 2 ** -30))).toBe(infinity - 1);
    expect(encode(largest + halfUnit)).toBe(infinity);
    expect(encode(-(largest + halfUnit))).toBe(infinity | 0x8000);
    expect(encode(Number.MAX_VALUE)).toBe(infinity);
    expect(encode(-Infinity)).toBe(infinity | 0x8000);
  });
});

describe('rounding against references', () => {
  it.each([
    ['float16', 'float64', encodeFloat16],
    ['bfloat16', 'float32', encodeBfloat16],
  ] as const)('rounds to %s as the reference does from %s', async (to, from, encode) => {
    const file = await SafetensorsFile.open(golden('half-precision.safetensors'));
    const values = (await file.read(from)).toArray() as number[];
    const words = (await file.read(to)).data as Uint16Array;
    await file.close();
    expect(values.length).toBeGreaterThan(300);
    expect(values.map(encode)).toEqual([...words]);
  });

  it('rounds once: a double just above a tie does not fall on the tie by way of float32', () => {
    expect(encodeFloat16(1 + 2 ** -11 + 2 ** -40)).toBe(0x3c01);
    expect(encodeFloat16(Math.fround(1 + 2 ** -11 + 2 ** -40))).toBe(0x3c00);
  });
});
