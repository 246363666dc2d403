import { Random, UserLlmError } from '@user-llm/tensor';

/** How intervals are made. */
export interface BootstrapOptions {
  /** Times that users are drawn again; 1,000 when absent. */
  readonly resamples?: number;
  /** Share of the resampled means inside the interval; .95 when absent. */
  readonly confidence?: number;
  /** 0 when absent. */
  readonly seed?: number;
}

/** A mean and the interval that it lies in with the confidence asked for. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The mean of some numbers in every resample, `[R]`; of two of them the difference is a paired one. */
export interface Resampled {
  readonly mean: number;
  readonly means: Float64Array;
}

/**
 * The nonparametric bootstrap over users (Efron 1979): users are drawn with replacement, each with all of their answers.
 * All series are resampled with the same draws, so that their differences are paired.
 *
 * @param users The user of each answer, `[A]`.
 * @param series Numbers of the answers, each `[A]`.
 * @returns One for each series.
 * @throws UserLlmError `no-answers` without any, `bad-options` for resamples that are no whole number from 1 or a confidence
 *   that is not between 0 and 1.
 */
export function resample(
  users: readonly string[],
  series: readonly (readonly number[])[],
  { resamples = 1000, confidence = 0.95, seed = 0 }: BootstrapOptions = {},
): Resampled[] {
  check(users, series, resamples, confidence);
  const rowOf = new Map<string, number>();
  for (const user of users) if (!rowOf.has(user)) rowOf.set(user, rowOf.size);
  const rows = Int32Array.from(users, (user) => rowOf.get(user)!);
  const counts = new Float64Array(rowOf.size);
  for (const row of rows) counts[row]!++;
  const sums = series.map((numbers) => {
    const perUser = new Float64Array(rowOf.size);
    numbers.forEach((number, answer) => (perUser[rows[answer]!]! += number));
    return perUser;
  });
  const means = series.map(() => new Float64Array(resamples));
  const random = Random.fromSeed(seed).split('bootstrap');
  const drawn = new Int32Array(rowOf.size);
  for (let round = 0; round < resamples; round++) {
    random.at(round).integers(drawn, rowOf.size);
    let answers = 0;
    for (const row of drawn) answers += counts[row]!;
    sums.forEach((perUser, index) => {
      let sum = 0;
      for (const row of drawn) sum += perUser[row]!;
      means[index]![round] = sum / answers;
    });
  }
  return series.map((numbers, index) => ({
    mean: numbers.reduce((sum, number) => sum + number, 0) / numbers.length,
    means: means[index]!,
  }));
}

/** The percentile interval of a resampled mean. */
export function intervalOf({ mean, means }: Resampled, confidence = 0.95): Interval {
  const sorted = means.slice().sort();
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * sorted.length - 0.5)))]!;
  return { value: mean, low: at((1 - confidence) / 2), high: at((1 + confidence) / 2) };
}

/**
 * How much one series is above another, paired by user.
 *
 * @returns The interval, and the share of resamples in which it is not above: the one-sided p-value.
 */
export function pairedDifference(
  one: Resampled,
  other: Resampled,
  confidence = 0.95,
): Interval & { readonly notAbove: number } {
  const means = one.means.map((mean, round) => mean - other.means[round]!);
  const notAbove = means.filter((difference) => difference <= 0).length / means.length;
  return { ...intervalOf({ mean: one.mean - other.mean, means }, confidence), notAbove };
}

function check(
  users: readonly string[],
  series: readonly (readonly number[])[],
  resamples: number,
  confidence: number,
) {
  const wrong = (code: string, expected: string, got: string): never => {
    throw new UserLlmError(code, { what: 'bootstrap', expected, got });
  };
  if (users.length === 0) wrong('no-answers', 'at least one answer', 'none');
  if (!Number.isSafeInteger(resamples) || resamples < 1) {
    wrong('bad-options', 'resamples: a whole number from 1', String(resamples));
  }
  if (!(confidence > 0 && confidence < 1)) wrong('bad-options', 'a confidence between 0 and 1', String(confidence));
  const odd = series.find((numbers) => numbers.length !== users.length);
  if (odd !== undefined) wrong('bad-options', `${users.length} numbers in every series`, String(odd.length));
}
