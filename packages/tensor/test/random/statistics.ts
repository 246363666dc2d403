/** Pearson's statistic: how far counts are from equal ones, or from those expected. */
export function chiSquare(counts: readonly number[], expected?: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count, cell) => {
    const right = expected?.[cell] ?? total / counts.length;
    return sum + (count - right) ** 2 / right;
  }, 0);
}

/** About the 0.99999 quantile of the chi-square distribution (Wilson and Hilferty): 4.265 deviations out. */
export function chiSquareLimit(degrees: number): number {
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + 4.265 * Math.sqrt(spread)) ** 3;
}

/** How often each whole number from 0 to `below` - 1 occurs. */
export function histogram(numbers: Iterable<number>, below: number): number[] {
  const counts = new Array<number>(below).fill(0);
  for (const number of numbers) {
    counts[number]!++;
  }
  return counts;
}

/** The mean of powers: `moment(x, 1)` is the mean, `moment(x, 2)` the mean square. */
export function moment(numbers: Float32Array | Float64Array, power: number): number {
  let sum = 0;
  for (const number of numbers) {
    sum += number ** power;
  }
  return sum / numbers.length;
}

/** Pearson's correlation of two lists. */
export function correlation(left: Float32Array | Float64Array, right: Float32Array | Float64Array): number {
  const product = Float64Array.from(left, (value, index) => value * right[index]!);
  const deviation = (values: Float32Array | Float64Array) => Math.sqrt(moment(values, 2) - moment(values, 1) ** 2);
  return (moment(product, 1) - moment(left, 1) * moment(right, 1)) / (deviation(left) * deviation(right));
}
