import { fusionsOf, type FusionName, type Minutes, type Recipe, type Way } from './recipes/recipe.js';

/** A stage of the job. */
export type DemoStage =
  | 'prepare the data'
  | 'pretrain the encoder, train the decoder'
  | 'pretrain the encoder'
  | `align: ${FusionName}`
  | `tune: ${Way['name']}`
  | 'evaluate'
  | 'write the report, answer';

/** A minute of training with its compilation, in seconds. */
const minute = 65;

/** The first stage that trains. */
export function firstTraining({ minutes }: Recipe): DemoStage {
  return minutes.language > 0 ? 'pretrain the encoder, train the decoder' : 'pretrain the encoder';
}

type Budget = readonly [DemoStage, number | undefined];

/** Seconds of every stage on two cores, where they are known. */
function budgetsOf(recipe: Recipe, minutes: Minutes): Map<DemoStage, number | undefined> {
  const { ways, seconds } = recipe;
  return new Map<DemoStage, number | undefined>([
    ['prepare the data', seconds?.prepare],
    [firstTraining(recipe), minute * (minutes.pretrain + minutes.language)],
    ...fusionsOf(recipe).map((fusion): Budget => [`align: ${fusion}`, minute * minutes.align]),
    ...ways.map((way): Budget => [
      `tune: ${way.name}`,
      minute * (minutes.tune + (way.kind === 'text' ? minutes.align : 0)),
    ]),
    ['evaluate', seconds?.evaluate],
    ['write the report, answer', seconds?.report],
  ]);
}

/** What a stage took in this call, beside its budget, in seconds. */
export interface StageTime {
  readonly stage: DemoStage;
  readonly seconds: number;
  readonly budget: number | undefined;
}

/** Announces stages, and keeps what they took. */
export class StageClock {
  readonly times: StageTime[] = [];
  readonly #budgets: ReadonlyMap<DemoStage, number | undefined>;
  readonly #say: (line: string) => void;

  /** @param minutes How long each part is trained. */
  constructor(recipe: Recipe, minutes: Minutes, say: (line: string) => void) {
    this.#budgets = budgetsOf(recipe, minutes);
    this.#say = say;
  }

  /** Runs a stage; what it throws passes through. */
  async time<T>(stage: DemoStage, work: () => Promise<T>): Promise<T> {
    const budget = this.#budgets.get(stage);
    const stages = [...this.#budgets.keys()];
    const about = budget === undefined ? '' : ` (about ${Math.round(budget)} s)`;
    this.#say(`\n[${stages.indexOf(stage) + 1}/${stages.length}] ${stage}${about}`);
    const start = performance.now();
    const result = await work();
    this.times.push({ stage, seconds: (performance.now() - start) / 1000, budget });
    return result;
  }
}
