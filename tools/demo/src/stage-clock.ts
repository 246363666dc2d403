/** Seconds that each stage of the demo may take on two cores: 8 minutes in all. */
export const budgetSeconds = {
  'prepare the data': 5,
  'pretrain the encoder, train the decoder': 120,
  'tune: cross-attention': 55,
  'tune: soft-prompt': 55,
  'tune: text-10': 55,
  'tune: text-50': 55,
  evaluate: 125,
  'write the report, answer': 10,
} as const;

/** A stage of the demo. */
export type DemoStage = keyof typeof budgetSeconds;

/** What a stage took, beside its budget, in seconds. */
export interface StageTime {
  readonly stage: DemoStage;
  readonly seconds: number;
  readonly budget: number;
}

/** Announces stages, and keeps what they took. */
export class StageClock {
  readonly times: StageTime[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** Runs a stage; what it throws passes through. */
  async time<T>(stage: DemoStage, work: () => Promise<T>): Promise<T> {
    const budget = budgetSeconds[stage];
    const number = Object.keys(budgetSeconds).indexOf(stage) + 1;
    this.#say(`\n[${number}/${Object.keys(budgetSeconds).length}] ${stage} (about ${budget} s)`);
    const start = performance.now();
    const result = await work();
    this.times.push({ stage, seconds: (performance.now() - start) / 1000, budget });
    return result;
  }
}
