/**
 * The quantile function of the standard normal distribution, to about 16 digits.
 *
 * Source: M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics
 * 37 (1988), its routine PPND16. Made of `+ - * /` and `Math.sqrt` alone, and of a logarithm of our own: engines
 * and their versions differ in the last bits of `Math.log` and `Math.cos`, but not in these.
 *
 * @param probability In (0, 1).
 */
export function inverseNormal(probability: number): number {
  const q = probability - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(middleAbove, r)) / polynomial(middleBelow, r);
  }
  const tail = Math.sqrt(-naturalLog(q < 0 ? probability : 1 - probability));
  const near = tail <= 5;
  const r = near ? tail - 1.6 : tail - 5;
  const size = polynomial(near ? nearAbove : farAbove, r) / polynomial(near ? nearBelow : farBelow, r);
  return q < 0 ? -size : size;
}

/** `ln x` for `x` in (0, 1], by `ln m = 2 artanh((m - 1) / (m + 1))` on `m` in [sqrt(1/2), 1] or (1, sqrt 2). */
function naturalLog(x: number): number {
  let mantissa = x;
  let exponent = 0;
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2;
    exponent--;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let sum = 0;
  for (let term = 21; term >= 1; term -= 2) {
    sum = sum * square + 1 / term;
  }
  return exponent * Math.LN2 + 2 * s * sum;
}

type Coefficients = readonly [number, number, number, number, number, number, number, number];

/** Horner's rule, the constant first in the table. */
function polynomial(c: Coefficients, x: number): number {
  return ((((((c[7] * x + c[6]) * x + c[5]) * x + c[4]) * x + c[3]) * x + c[2]) * x + c[1]) * x + c[0];
}

const middleAbove: Coefficients = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
  33430.57558358813, 2509.0809287301227,
];
const middleBelow: Coefficients = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943,
  5226.495278852854,
];
const nearAbove: Coefficients = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 0.0007745450142783414,
];
const nearBelow: Coefficients = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const farAbove: Coefficients = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7,
];
const farBelow: Coefficients = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 0.000018463183175100548,
  1.421511758316446e-7, 2.0442631033899397e-15,
];
