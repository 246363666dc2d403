import { halfAt, type UnpackedBlocks } from './unpacked-blocks.js';

/** Numbers of a super-block. */
const superBlock = 256;

/** Q4_K: eight blocks of 32, whose scales and minimums have six bits and share two half-precision factors. */
export function unpackQ4K(bytes: Uint8Array, { codes, scales, minimums }: UnpackedBlocks): void {
  const stride = 144;
  const count = bytes.length / stride;
  for (let own = 0; own < count; own++) {
    const from = own * stride;
    const [factor, minimum] = [halfAt(bytes, from), halfAt(bytes, from + 2)];
    const six = bytes.subarray(from + 4, from + 16);
    for (let block = 0; block < 8; block++) {
      const [scale, less] = sixBits(six, block);
      scales[own * 8 + block] = factor * scale;
      minimums[own * 8 + block] = -minimum * less;
    }
    for (let at = 0; at < 128; at++) {
      const byte = bytes[from + 16 + at]!;
      // 32 bytes hold one block in their lower halves and the next in their upper ones.
      const to = own * superBlock + (at >> 5) * 64 + (at & 31);
      codes[to] = byte & 15;
      codes[to + 32] = byte >> 4;
    }
  }
}

/** Scale and minimum of a block: the first four have their bits in one byte each, the others theirs in the rest. */
function sixBits(six: Uint8Array, block: number): readonly [number, number] {
  if (block < 4) return [six[block]! & 63, six[block + 4]! & 63];
  const low = six[block + 4]!;
  return [(low & 15) | ((six[block - 4]! >> 6) << 4), (low >> 4) | ((six[block]! >> 6) << 4)];
}

/** Q6_K: sixteen blocks of 16, whose scales have eight bits and share a half-precision factor. */
export function unpackQ6K(bytes: Uint8Array, { codes, scales }: UnpackedBlocks): void {
  const stride = 210;
  const count = bytes.length / stride;
  for (let own = 0; own < count; own++) {
    const from = own * stride;
    const factor = halfAt(bytes, from + 208);
    for (let block = 0; block < 16; block++)
      scales[own * 16 + block] = factor * ((bytes[from + 192 + block]! << 24) >> 24);
    for (let at = 0; at < superBlock; at++) {
      const half = at >> 7;
      const [quarter, place] = [(at & 127) >> 5, at & 31];
      const low = bytes[from + 64 * half + 32 * (quarter & 1) + place]! >> (4 * (quarter >> 1));
      const high = bytes[from + 128 + 32 * half + place]! >> (2 * quarter);
      codes[own * superBlock + at] = (low & 15) | ((high & 3) << 4);
    }
  }
}
