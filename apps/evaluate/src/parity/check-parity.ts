import type { DecodeStepper } from '@user-llm/llm';
import { badGolden, type GoldenFile } from './golden-file.js';

type Case = GoldenFile['cases'][number];

/** How one prompt compares. */
export interface CaseParity {
  /** Tokens of the prompt. */
  readonly tokens: number;
  /** The largest difference of logits. */
  readonly difference: number;
  /** The same divided by the largest logit of the reference. */
  readonly relative: number;
  /** Greedy tokens of the reference. */
  readonly greedy: number;
  /** How many of them, from the first, are ours too. */
  readonly agreeing: number;
  /** By how much our logits prefer the first other token, divided by the largest logit; nothing where all agree. */
  readonly preference?: number;
}

/** How the loss of a text compares. */
export interface LossParity {
  readonly expected: number;
  readonly found: number;
  /** Their difference divided by the loss, or by 1 where that is larger. */
  readonly relative: number;
}

/** How an LLM compares with what a reference says of it. */
export interface Parity {
  readonly cases: readonly CaseParity[];
  readonly loss?: LossParity;
}

/** How a comparison is watched. */
export interface ParityOptions {
  readonly signal?: AbortSignal;
  /** Told before each step of work. */
  say?(step: string): void;
}

/**
 * Compares an LLM with what a reference says of it, as it answers: prompts are read whole, then token by token behind
 * cached ones.
 *
 * @throws UserLlmError `bad-golden` for tokens that the LLM does not have, or more of them than it has positions.
 */
export async function checkParity(
  stepper: DecodeStepper,
  golden: GoldenFile,
  { signal, say }: ParityOptions = {},
): Promise<Parity> {
  requireFit(stepper, golden);
  const cases: CaseParity[] = [];
  for (const [at, own] of golden.cases.entries()) {
    say?.(`case ${at + 1} of ${golden.cases.length}`);
    cases.push(await caseParity(stepper, own, signal));
  }
  if (!golden.loss) return { cases };
  say?.('loss');
  return { cases, loss: await lossParity(stepper, golden.loss, signal) };
}

/** Whether nothing differs by more than the tolerance; where greedy tokens part, the two must be as good as equal. */
export function withinTolerance({ cases, loss }: Parity, tolerance: number): boolean {
  const all = [...cases.flatMap(({ relative, preference = 0 }) => [relative, preference]), loss?.relative ?? 0];
  return all.every((value) => value <= tolerance);
}

async function caseParity(stepper: DecodeStepper, own: Case, signal: AbortSignal | undefined): Promise<CaseParity> {
  const { ids, top5, greedy } = own;
  const run = signal ? { signal } : {};
  const room = stepper.prefixTokens + ids.length + greedy.length;
  const { slots, logits } = await stepper.prefill([ids], { room: Math.min(room, stepper.maximumTokens), ...run });
  try {
    const difference = largestDifference(logits.data, top5);
    const largest = top5.reduce((most, { logit }) => Math.max(most, Math.abs(logit)), Number.MIN_VALUE);
    const figures = { tokens: ids.length, difference, relative: difference / largest, greedy: greedy.length };
    let next = logits.data;
    for (const [agreeing, token] of greedy.entries()) {
      const [best] = bestTokens(next, 1);
      if (best !== token) {
        // Behind the first other token the texts are others: nothing more can be compared.
        return { ...figures, agreeing, preference: (next[best!]! - next[token]!) / largest };
      }
      if (agreeing + 1 < greedy.length) next = (await stepper.step(slots, [token], run)).data;
    }
    return { ...figures, agreeing: greedy.length };
  } finally {
    slots.dispose();
  }
}

/** Of the reference's tokens, and of our own best as many, place by place: a better one that it lacks counts too. */
function largestDifference(logits: Float32Array, top: Case['top5']): number {
  const expected = top.map(({ logit }) => logit).sort((a, b) => b - a);
  const best = bestTokens(logits, top.length);
  return Math.max(
    ...top.map(({ id, logit }) => Math.abs(logits[id]! - logit)),
    ...best.map((token, place) => Math.abs(logits[token]! - expected[place]!)),
  );
}

/** The tokens of the largest logits, largest first, of equal ones the first. */
function bestTokens(logits: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let token = 0; token < logits.length; token++) {
    if (best.length === count && logits[token]! <= logits[best[count - 1]!]!) continue;
    let place = best.length;
    while (place > 0 && logits[best[place - 1]!]! < logits[token]!) place--;
    best.splice(place, 0, token);
    if (best.length > count) best.pop();
  }
  return best;
}

async function lossParity(
  stepper: DecodeStepper,
  { ids, value }: NonNullable<GoldenFile['loss']>,
  signal: AbortSignal | undefined,
): Promise<LossParity> {
  const run = signal ? { signal } : {};
  const first = await stepper.prefill([ids.slice(0, 1)], { room: stepper.prefixTokens + ids.length, ...run });
  const { slots } = first;
  try {
    let { logits } = first;
    let sum = 0;
    for (const [at, token] of ids.slice(1).entries()) {
      if (at > 0) logits = await stepper.step(slots, [ids[at]!], { reuse: logits, ...run });
      sum += negativeLogLikelihood(logits.data, token);
    }
    const found = sum / (ids.length - 1);
    return { expected: value, found, relative: Math.abs(found - value) / Math.max(1, Math.abs(value)) };
  } finally {
    slots.dispose();
  }
}

function negativeLogLikelihood(logits: Float32Array, token: number): number {
  let largest = -Infinity;
  for (const logit of logits) largest = Math.max(largest, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return Math.log(sum) + largest - logits[token]!;
}

function requireFit({ vocabularySize, maximumTokens, prefixTokens }: DecodeStepper, { cases, loss }: GoldenFile): void {
  const texts = [
    ...cases.map(({ ids, top5, greedy }, at) => ({
      name: `cases.${at}`,
      tokens: [...ids, ...greedy, ...top5.map(({ id }) => id)],
      positions: ids.length + Math.max(0, greedy.length - 1),
    })),
    ...(loss ? [{ name: 'loss', tokens: loss.ids, positions: loss.ids.length }] : []),
  ];
  for (const { name, tokens, positions } of texts) {
    const foreign = tokens.find((token) => token >= vocabularySize);
    if (foreign !== undefined)
      throw badGolden(`golden file, ${name}`, `tokens below ${vocabularySize}, which the LLM has`, `${foreign}`);
    if (prefixTokens + positions > maximumTokens)
      throw badGolden(`golden file, ${name}`, `at most ${maximumTokens} positions, which the LLM has`, `${positions}`);
  }
}
