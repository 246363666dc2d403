import type { Value } from '@user-llm/graph';
import { Random, Tensor, UserLlmError } from '@user-llm/tensor';
import { beginning, type Place } from '../checkpoint/place.js';
import type { Checkpoint } from '../checkpoint/checkpoint-store.js';
import { learningRateShare } from '../optimizer/learning-rate.js';
import { budgetShare } from './budget.js';
import { diverged, requireFiniteFigures, requireFiniteWeights } from './diverged.js';
import { inGroups } from './in-groups.js';
import { RunningMeans, type TrainingProgress } from './progress.js';
import { stepGraphs, type StepGraphs } from './step-graphs.js';
import { createStepper, type Stepper } from './stepper.js';
import type { TrainOptions, TrainResult } from './train-options.js';
import type { TrainingBatch } from './training-task.js';
import { afterValidation } from './validation.js';

/** The batches of one step. */
type Group = readonly TrainingBatch[];

/**
 * Trains until the budget is used up, or goes on where the last checkpoint says.
 *
 * With a budget in steps, stopping and going on gives the same bits as never stopping.
 *
 * @throws UserLlmError `training-diverged` when loss or gradients are not finite, naming a file with the batch, and when
 *   figures on held-out data or the parameters at the end are not; `unknown-metric` when validation has no figure of the
 *   name asked for; and what the task, the runtime and the checkpoints throw.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const resumed = await options.checkpoints.load('last');
  const batches = options.task.batches(resumed?.place.cursor ?? undefined);
  const groups = inGroups(batches, options.optimizer.accumulate);
  try {
    const first = await nextOf(groups, options);
    const loop = await TrainingLoop.start(options, groups, first, resumed);
    try {
      return await loop.run();
    } finally {
      await loop.dispose();
    }
  } finally {
    await groups.return(undefined);
  }
}

class TrainingLoop {
  readonly #options: TrainOptions;
  readonly #groups: AsyncGenerator<Group>;
  readonly #graphs: StepGraphs;
  readonly #stepper: Stepper;
  readonly #firstSeed: number;
  readonly #means = new RunningMeans();
  #group: Group;
  #place: Place;
  #saved = performance.now();
  /** The step after which the last checkpoint was saved. */
  #savedStep: number | undefined;

  private constructor(
    options: TrainOptions,
    groups: AsyncGenerator<Group>,
    group: Group,
    place: Place,
    graphs: StepGraphs,
    stepper: Stepper,
  ) {
    this.#options = options;
    this.#groups = groups;
    this.#group = group;
    this.#place = place;
    this.#savedStep = place === beginning ? undefined : place.step;
    this.#graphs = graphs;
    this.#stepper = stepper;
    this.#firstSeed = Random.fromSeed(options.seed).split('steps').bits(1)[0]!;
  }

  static async start(
    options: TrainOptions,
    groups: AsyncGenerator<Group>,
    first: Group,
    resumed: Checkpoint | undefined,
  ): Promise<TrainingLoop> {
    const { task, trains, optimizer, registry, runtime, weights } = options;
    const shapes = Object.fromEntries(Object.entries(first[0]!.feeds).map(([name, { shape }]) => [name, shape]));
    const graphs = stepGraphs(task, trains, optimizer, shapes, registry);
    options.onGraphs?.(graphs);
    const state = resumed && { ...resumed.parameters, ...resumed.optimizer };
    const stepper = await createStepper({ runtime, graphs, weights, state, shapes, accumulate: optimizer.accumulate });
    return new TrainingLoop(options, groups, first, resumed?.place ?? beginning, graphs, stepper);
  }

  async run(): Promise<TrainResult> {
    for (;;) {
      if (this.#options.signal?.aborted) return this.#stop();
      if (this.#validationIsDue()) {
        await this.#validate();
        continue;
      }
      const ended = this.#ended();
      if (ended) return this.#finish(ended);
      if (performance.now() - this.#saved > 60_000 * (this.#options.checkpointMinutes ?? 5)) await this.#save(false);
      await this.#step();
    }
  }

  dispose(): Promise<void> {
    return this.#stepper.dispose();
  }

  #ended(): 'budget' | 'patience' | undefined {
    const { budget, validation } = this.#options;
    if (budgetShare(budget, this.#place) >= 1) return 'budget';
    const patience = validation?.patience ?? Infinity;
    return this.#place.sinceBest >= patience ? 'patience' : undefined;
  }

  #validationIsDue(): boolean {
    const { validation } = this.#options;
    const { step, validatedAt } = this.#place;
    if (!validation || validatedAt === step || step === 0) return false;
    return step % validation.every === 0 || this.#ended() !== undefined;
  }

  /** One step, while which the next batches are made. */
  async #step(): Promise<void> {
    const { optimizer, budget, log } = this.#options;
    const { step, examples, seconds } = this.#place;
    const share = learningRateShare(optimizer.schedule, step, budgetShare(budget, this.#place));
    const learningRate = optimizer.learningRate * share;
    const seed = this.#firstSeed + step * optimizer.accumulate;
    const group = this.#group;
    const start = performance.now();
    const [figures, next] = await Promise.all([
      this.#stepper.step(group, seed, learningRate).catch((error: unknown) => this.#fail(error)),
      nextOf(this.#groups, this.#options),
    ]);
    const took = (performance.now() - start) / 1000;
    const seen = group.reduce((sum, batch) => sum + batch.examples, 0);
    const { cursor } = group.at(-1)!;
    this.#place = { ...this.#place, step: step + 1, examples: examples + seen, seconds: seconds + took, cursor };
    this.#group = next;
    const { loss, gradientNorm, metrics } = figures;
    this.#means.add(loss, seen, took);
    log?.(step + 1, { loss, gradientNorm, learningRate, examplesPerSecond: seen / took, ...metrics });
    this.#tell('train');
  }

  async #validate(): Promise<void> {
    const { task, weights, validation, signal, log } = this.#options;
    this.#tell('validate');
    const figures = await task
      .validate?.({ ...weights, ...this.#parameters() }, signal)
      .catch((error: unknown) => (signal?.aborted ? undefined : Promise.reject(error as Error)));
    if (signal?.aborted) return;
    const value = figures?.[validation!.metric];
    if (value === undefined) throw noMetric(task.name, validation!.metric, Object.keys(figures ?? {}));
    requireFiniteFigures(task.name, this.#place.step, figures!);
    const before = this.#place.best;
    this.#place = afterValidation(this.#place, value, validation!);
    log?.(this.#place.step, Object.fromEntries(Object.entries(figures!).map(([name, x]) => [`validation/${name}`, x])));
    await this.#save(this.#place.best !== before);
    this.#tell('validate', figures);
  }

  async #save(best: boolean): Promise<void> {
    this.#tell('save');
    const parameters = this.#parameters();
    const optimizer = Object.entries(this.#stepper.state()).filter(([name]) => !(name in parameters));
    await this.#options.checkpoints.save(this.#place, parameters, Object.fromEntries(optimizer), best);
    this.#saved = performance.now();
    this.#savedStep = this.#place.step;
  }

  async #stop(): Promise<TrainResult> {
    if (this.#savedStep !== this.#place.step) await this.#save(false);
    return { ended: 'stopped', place: this.#place, parameters: {} };
  }

  async #finish(ended: 'budget' | 'patience'): Promise<TrainResult> {
    const best = this.#options.validation && (await this.#options.checkpoints.load('best'));
    const read = Object.entries(this.#parameters()).map(async ([name, value]) => {
      const tensor = best?.parameters[name];
      return [
        name,
        tensor ? new Tensor('float32', value.axes, value.shape, tensor.data as Float32Array) : await value.read(),
      ] as const;
    });
    const parameters = Object.fromEntries(await Promise.all(read));
    requireFiniteWeights(`stage ${this.#options.task.name}, step ${this.#place.step}`, parameters);
    if (this.#savedStep !== this.#place.step) await this.#save(false);
    return { ended, place: this.#place, parameters };
  }

  async #fail(error: unknown): Promise<never> {
    if (!UserLlmError.isInstance(error, 'not-finite')) throw error;
    await this.#save(false);
    const { folder, task } = this.#options;
    throw await diverged(folder, task.name, this.#place.step, this.#group, error);
  }

  /** What is trained, as it is now. */
  #parameters(): Readonly<Record<string, Value>> {
    const state = this.#stepper.state();
    return Object.fromEntries(this.#graphs.trained.map((name) => [name, state[name]!]));
  }

  #tell(phase: TrainingProgress['phase'], validation?: Readonly<Record<string, number>>): void {
    const { task, budget, onProgress } = this.#options;
    const { step, seconds } = this.#place;
    const share = budgetShare(budget, this.#place);
    const perStep = this.#means.secondsPerStep;
    const ofSteps = budget.steps !== undefined && perStep !== undefined ? (budget.steps - step) * perStep : Infinity;
    const secondsLeft = Math.min(ofSteps, budget.minutes === undefined ? Infinity : 60 * budget.minutes - seconds);
    onProgress?.({
      stage: task.name,
      phase,
      step,
      share,
      ...(budget.steps !== undefined && { steps: budget.steps }),
      ...(this.#means.loss !== undefined && { loss: this.#means.loss }),
      ...(this.#means.rate !== undefined && { examplesPerSecond: this.#means.rate }),
      ...(Number.isFinite(secondsLeft) && { secondsLeft: Math.max(0, secondsLeft) }),
      ...(validation && { validation }),
    });
  }
}

async function nextOf(groups: AsyncGenerator<Group>, { task }: TrainOptions): Promise<Group> {
  const { value, done } = await groups.next();
  if (done !== true) return value;
  throw new UserLlmError('no-batches', {
    what: `task ${task.name}`,
    expected: 'batches without end',
    got: 'none',
    mend: 'Give it data to train on: histories of at least two events, texts, or questions that the data can answer.',
  });
}

function noMetric(task: string, metric: string, there: readonly string[]): UserLlmError {
  return new UserLlmError('unknown-metric', {
    what: `validation of ${task}`,
    expected: `one of the figures ${there.join(', ') || '(none: this stage cannot validate)'}`,
    got: metric,
    mend: 'Correct validation.metric of the stage.',
  });
}
