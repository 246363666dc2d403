/** How a 16-bit floating-point format divides its bits. */
interface Format {
  readonly mantissaBits: number;
  readonly bias: number;
  /** Exponents from this on are infinite. */
  readonly infinity: number;
}

const float16: Format = { mantissaBits: 10, bias: 15, infinity: 0x7c00 };
const bfloat16: Format = { mantissaBits: 7, bias: 127, infinity: 0x7f80 };
const scratch = new DataView(new ArrayBuffer(8));

/**
 * The IEEE 754 binary16 word nearest to a number: ties to even, once from the full double, subnormals kept, beyond
 * 65,504 (from 65,520) infinite. Every NaN becomes the word 0x7e00.
 */
export function encodeFloat16(value: number): number {
  return encode(value, float16);
}

/** The number of an IEEE 754 binary16 word, exactly. */
export function decodeFloat16(word: number): number {
  return decode(word, float16);
}

/**
 * The bfloat16 word nearest to a number: ties to even, once from the full double, subnormals kept. Every NaN becomes
 * the word 0x7fc0.
 */
export function encodeBfloat16(value: number): number {
  return encode(value, bfloat16);
}

/** The number of a bfloat16 word, exactly. */
export function decodeBfloat16(word: number): number {
  return decode(word, bfloat16);
}

function encode(value: number, { mantissaBits, bias, infinity }: Format): number {
  scratch.setFloat64(0, value);
  const high = scratch.getUint32(0);
  const sign = (high >>> 16) & 0x8000;
  const exponent = ((high >>> 20) & 0x7ff) - 1023 + bias;
  if (Number.isNaN(value)) {
    return infinity | (1 << (mantissaBits - 1));
  }
  if (exponent <= 0) {
    // In units of the smallest subnormal; adding and taking away 2^52 rounds to a whole number, ties to even.
    const units = Math.abs(value) * 2 ** (bias - 1 + mantissaBits);
    return sign | (units + 2 ** 52 - 2 ** 52);
  }
  const dropped = 20 - mantissaBits;
  const kept = (high & 0xfffff) >>> dropped;
  const rest = high & ((1 << dropped) - 1);
  const half = 1 << (dropped - 1);
  const up = rest > half || (rest === half && (scratch.getUint32(4) !== 0 || (kept & 1) === 1));
  // A carry out of the mantissa raises the exponent, which is right, up to infinity.
  return sign | Math.min((exponent << mantissaBits) + kept + (up ? 1 : 0), infinity);
}

function decode(word: number, { mantissaBits, bias, infinity }: Format): number {
  const sign = word & 0x8000 ? -1 : 1;
  const exponent = (word & infinity) >>> mantissaBits;
  const fraction = word & ((1 << mantissaBits) - 1);
  if ((word & infinity) === infinity) {
    return fraction === 0 ? sign * Infinity : NaN;
  }
  const significand = exponent === 0 ? fraction : fraction + (1 << mantissaBits);
  return sign * significand * 2 ** (Math.max(exponent, 1) - bias - mantissaBits);
}

/** Decodes many binary16 words. */
export function decodeFloat16Array(words: Uint16Array): Float32Array {
  const decoded = new Float32Array(words.length);
  const bits = new Uint32Array(decoded.buffer);
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    const magnitude = word & 0x7fff;
    if (magnitude >= 0x400 && magnitude < 0x7c00) {
      bits[index] = ((word & 0x8000) << 16) | ((magnitude << 13) + 0x3800_0000);
    } else {
      decoded[index] = decodeFloat16(word);
    }
  }
  return decoded;
}

/** Decodes many bfloat16 words: they are the upper halves of float32 words. */
export function decodeBfloat16Array(words: Uint16Array): Float32Array {
  const bits = new Uint32Array(words.length);
  for (let index = 0; index < words.length; index++) {
    bits[index] = words[index]! << 16;
  }
  return new Float32Array(bits.buffer);
}
