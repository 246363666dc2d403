import { ways, type Way } from './recipes.js';

/** A stage of the demo. */
export type DemoStage =
  | 'prepare the data'
  | 'pretrain the encoder, train the decoder'
  | `tune: ${Way['name']}`
  | 'evaluate'
  | 'write the report, answer';

/** Seconds of a stage on two cores at the usual effort, and whether they grow with the effort. */
interface Budget {
  readonly seconds: number;
  readonly trains: boolean;
}

const budgets: ReadonlyMap<DemoStage, Budget> = new Map<DemoStage, Budget>([
  ['prepare the data', { seconds: 5, trains: false }],
  ['pretrain the encoder, train the decoder', { seconds: 120, trains: true }],
  ...ways.map(({ name }): [DemoStage, Budget] => [`tune: ${name}`, { seconds: 55, trains: true }]),
  ['evaluate', { seconds: 125, trains: false }],
  ['write the report, answer', { seconds: 10, trains: false }],
]);

/** What a stage took in this call, beside its budget, in seconds. */
export interface StageTime {
  readonly stage: DemoStage;
  readonly seconds: number;
  readonly budget: number;
}

/** Announces stages, and keeps what they took. */
export class StageClock {
  readonly times: StageTime[] = [];
  readonly #effort: number;
  readonly #say: (line: string) => void;

  constructor(effort: number, say: (line: string) => void) {
    this.#effort = effort;
    this.#say = say;
  }

  /** Runs a stage; what it throws passes through. */
  async time<T>(stage: DemoStage, work: () => Promise<T>): Promise<T> {
    const { seconds, trains } = budgets.get(stage)!;
    const budget = Math.round(trains ? seconds * this.#effort : seconds);
    this.#say(`\n[${[...budgets.keys()].indexOf(stage) + 1}/${budgets.size}] ${stage} (about ${budget} s)`);
    const start = performance.now();
    const result = await work();
    this.times.push({ stage, seconds: (performance.now() - start) / 1000, budget });
    return result;
  }
}
