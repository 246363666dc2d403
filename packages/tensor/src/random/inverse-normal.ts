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
  3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125, 45921.953931549871457,
  67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
];
const middleBelow: Coefficients = [
  1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867, 39307.89580009271061,
  28729.085735721942674, 5226.495278852854561,
];
const nearAbove: Coefficients = [
  1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504, 1.27045825245236838258,
  0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4,
];
const nearBelow: Coefficients = [
  1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
  0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9,
];
const farAbove: Coefficients = [
  6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123, 0.026532189526576123093,
  0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
];
const farBelow: Coefficients = [
  1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4,
  1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
];
