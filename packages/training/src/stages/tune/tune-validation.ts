import type { Feeds, ParameterTree, Runtime } from '@user-llm/graph';
import type { Task } from '@user-llm/plugin';
import type { UserLlmModel } from '@user-llm/user-llm';
import { noQuestions, type PlacedExample, type TaskExamples } from '../../data/task-examples.js';
import { LossEvaluator } from '../../loop/loss-evaluator.js';
import { readyExample, tuneFeeds, type ReadyExample, type TuneBatching } from './tune-batches.js';
import { answerLoss } from './tune-task.js';

/** What the validation of tuning needs. */
export interface TuneValidationInputs {
  readonly model: UserLlmModel;
  readonly tasks: readonly Task[];
  readonly source: TaskExamples;
  readonly batching: TuneBatching;
  /** Users asked, per task. */
  readonly examples: number;
  /** Whether the losses with another user's events and with none are taken, too. */
  readonly controls: boolean;
  readonly runtime: Runtime;
}

/** Whose events the examples of a batch are read with. */
const readings: Readonly<
  Record<string, ((examples: readonly ReadyExample[]) => (PlacedExample | undefined)[]) | undefined>
> = {
  loss: undefined,
  // The next one's: no example keeps its own user, since each user is asked once.
  'loss-wrong-user': (examples) => examples.map((_, at) => examples[(at + 1) % examples.length]),
  'loss-no-user': (examples) => examples.map(() => undefined),
};

/** Mean cross-entropy per predicted token of the answers to fixed questions, for each task and over all. */
export class TuneValidation {
  readonly #inputs: TuneValidationInputs;
  readonly #questions: ReadonlyMap<string, readonly ReadyExample[]>;
  readonly #evaluator: LossEvaluator;

  /** @throws UserLlmError `no-questions` when none of the tasks can be asked. */
  constructor(inputs: TuneValidationInputs) {
    this.#inputs = inputs;
    const { tasks, source, batching, examples, model, runtime } = inputs;
    const byLength = (a: ReadyExample, b: ReadyExample) => a.encoded.tokens.length - b.encoded.tokens.length;
    this.#questions = new Map(
      tasks.map((task) => {
        const placed = source.ofUsers(task, examples);
        return [task.name, placed.map((each) => readyExample(each, batching)).sort(byLength)];
      }),
    );
    if ([...this.#questions.values()].every(({ length }) => length === 0)) throw noQuestions('validation', 'none');
    const parameters = model.parameters as ParameterTree;
    this.#evaluator = new LossEvaluator(runtime, parameters, (tree, shapes) => answerLoss(model, tree, shapes, false));
  }

  /**
   * @returns `loss` and `loss/TASK`; with controls also `loss-wrong-user` and `loss-no-user`.
   * @throws UserLlmError `aborted` by the signal.
   */
  async figures(weights: Feeds, signal?: AbortSignal): Promise<Record<string, number>> {
    const { batching, controls } = this.#inputs;
    const figures: Record<string, number> = {};
    const taken = controls && batching.form.kind === 'context' ? Object.keys(readings) : ['loss'];
    for (const reading of taken) {
      let all = { sum: 0, tokens: 0 };
      for (const [task, questions] of this.#questions) {
        const one = await this.#lossOf(questions, reading, weights, signal);
        if (reading === 'loss' && one.tokens > 0) figures[`loss/${task}`] = one.sum / one.tokens;
        all = { sum: all.sum + one.sum, tokens: all.tokens + one.tokens };
      }
      figures[reading] = all.sum / all.tokens;
    }
    return figures;
  }

  dispose(): Promise<void> {
    return this.#evaluator.dispose();
  }

  async #lossOf(
    questions: readonly ReadyExample[],
    reading: string,
    weights: Feeds,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly sum: number; readonly tokens: number }> {
    const { batching } = this.#inputs;
    let sum = 0;
    let tokens = 0;
    for (let from = 0; from < questions.length; from += batching.batchSize) {
      signal?.throwIfAborted();
      const examples = questions.slice(from, from + batching.batchSize);
      const loss = await this.#evaluator.of(tuneFeeds(examples, batching, readings[reading]?.(examples)), weights);
      const count = examples.reduce((total, { encoded }) => total + encoded.choices.length, 0);
      sum += loss * count;
      tokens += count;
    }
    return { sum, tokens };
  }
}
