/** One candidate's answer to one question, as its file keeps it for later paired tests. */
export interface Prediction {
  readonly user: string;
  readonly task: string;
  /** Which wording was asked. */
  readonly template: string;
  /** Where in the history it was asked. */
  readonly position: number;
  /** The true item's id, or the true words. */
  readonly target: string;
  /** The true item's rank; `null` where the candidate's list does not have it. Absent for answers in words. */
  readonly rank?: number | null;
  /** The candidate's words. Absent for rankings. */
  readonly prediction?: string;
  /** Each metric that judges answers one by one. */
  readonly scores: Readonly<Record<string, number>>;
}

/** Predictions as JSON lines. */
export function predictionLines(predictions: readonly Prediction[]): string {
  return predictions.map((prediction) => `${JSON.stringify(prediction)}\n`).join('');
}
