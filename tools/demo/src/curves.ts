import type { TrainingCurve } from '@user-llm/evaluation';
import type { RunProgress } from '@user-llm/training';

/** Steps from one point of a curve to the next. */
const pointEvery = 10;

/** Keeps the losses that runs tell of, for the report. */
export class CurveKeeper {
  readonly #points = new Map<string, { readonly step: number; readonly value: number }[]>();

  /** Takes in a progress of a run. */
  note(run: string, { stage, step, loss }: RunProgress): void {
    if (loss === undefined || step % pointEvery !== 0) return;
    const name = run === 'base' ? stage : run;
    const points = this.#points.get(name) ?? [];
    this.#points.set(name, points);
    if (points.at(-1)?.step !== step) points.push({ step, value: loss });
  }

  /** What there is so far. */
  curves(): TrainingCurve[] {
    return [...this.#points].map(([name, points]) => {
      const tuned = name !== 'pretrain' && name !== 'language';
      return { stage: tuned ? 'tune' : name, figure: 'loss', series: tuned ? name : 'training', points };
    });
  }
}
