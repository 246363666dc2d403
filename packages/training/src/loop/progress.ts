/** How far a training is, after a step. */
export interface TrainingProgress {
  /** Name of the stage. */
  readonly stage: string;
  /** What is going on. */
  readonly phase: 'train' | 'validate' | 'save';
  /** Steps taken, over all sessions. */
  readonly step: number;
  /** Steps of the whole budget; absent where the budget is in minutes alone. */
  readonly steps?: number;
  /** Share of the budget that is used up, 0 to 1. */
  readonly share: number;
  /** Mean loss of the last steps. */
  readonly loss?: number;
  /** Examples per second, of the last steps. */
  readonly examplesPerSecond?: number;
  /** Seconds that the rest of the budget will take at this rate. */
  readonly secondsLeft?: number;
  /** Figures on held-out data, right after they were taken. */
  readonly validation?: Readonly<Record<string, number>>;
}

/** Means over the last steps. */
export class RunningMeans {
  readonly #window: number;
  readonly #steps: { readonly loss: number; readonly examples: number; readonly seconds: number }[] = [];

  /** @param window How many steps. */
  constructor(window = 50) {
    this.#window = window;
  }

  add(loss: number, examples: number, seconds: number): void {
    this.#steps.push({ loss, examples, seconds });
    if (this.#steps.length > this.#window) this.#steps.shift();
  }

  /** The mean loss; nothing before the first step. */
  get loss(): number | undefined {
    const count = this.#steps.length;
    return count === 0 ? undefined : this.#steps.reduce((sum, { loss }) => sum + loss, 0) / count;
  }

  /** Examples per second. */
  get rate(): number | undefined {
    const seconds = this.#steps.reduce((sum, step) => sum + step.seconds, 0);
    return seconds === 0 ? undefined : this.#steps.reduce((sum, { examples }) => sum + examples, 0) / seconds;
  }

  /** Seconds per step. */
  get secondsPerStep(): number | undefined {
    const count = this.#steps.length;
    return count === 0 ? undefined : this.#steps.reduce((sum, { seconds }) => sum + seconds, 0) / count;
  }
}
