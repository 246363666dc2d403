/** Floating-point operations of one answer by what does them; a multiply-add is two. */
export type FlopsByPart = Readonly<Record<string, number>>;

/** Several measurements of one thing, in milliseconds. */
export interface Milliseconds {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly repeats: number;
}

/** What one answer takes. */
export interface AnswerCost {
  /** By part: `encoder`, `compressor`, `context`, `prefill`, `decode`. */
  readonly flops: FlopsByPart;
  /** Tokens of the prompt. */
  readonly promptTokens: number;
  /** Tokens of the answer, the one that ends it included. */
  readonly answerTokens: number;
  /** From the question to the first token. */
  readonly firstToken: Milliseconds;
  /** From the question to the last token. */
  readonly answer: Milliseconds;
}

/** All operations of an answer. */
export function totalFlops(flops: FlopsByPart): number {
  return Object.values(flops).reduce((sum, part) => sum + part, 0);
}

/** Sums up measurements. */
export function milliseconds(measured: readonly number[]): Milliseconds {
  const sorted = [...measured].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = (sorted[Math.floor(middle - 0.25)]! + sorted[Math.floor(middle)]!) / 2;
  return { median, least: sorted[0]!, most: sorted.at(-1)!, repeats: sorted.length };
}
