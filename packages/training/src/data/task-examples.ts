import type { Example, History, Task } from '@user-llm/plugin';
import { Random, UserLlmError } from '@user-llm/tensor';
import { targetRange, type Part } from '@user-llm/tokenization';
import { Places, type Place, type Sampling } from './places.js';
import type { TokenizedData } from './training-data.js';

/** A task, and how often it is asked beside the others. */
export interface WeightedTask {
  readonly task: Task;
  readonly weight: number;
}

/** An example, and where in the data it was asked. */
export interface PlacedExample extends Place {
  readonly example: Example;
}

/** What examples are made of. */
export interface TaskExamplesInputs {
  readonly data: TokenizedData;
  readonly tasks: readonly WeightedTask[];
  readonly part: Part;
  readonly sampling: Sampling;
  /** Events that the model may read before a place. */
  readonly maximumEvents: number;
  readonly seed: number;
  /**
   * Events of histories that are kept as objects at one time, but for the last history; a million when absent. Making
   * them anew takes longer than a batch may.
   */
  readonly mostKept?: number;
}

const usuallyKept = 1_000_000;

/** Draws before it is said that a task cannot be asked of the data. */
const mostDraws = 200;

/** Examples of tasks, made when they are asked for: the example of a number is always the same. */
export class TaskExamples {
  readonly #inputs: TaskExamplesInputs;
  readonly #places: Places;
  readonly #random: Random;
  readonly #bounds: readonly number[];
  readonly #recent = new Map<number, History>();
  #kept = 0;

  /** @throws UserLlmError `no-questions` when the part has no place to ask at. */
  constructor(inputs: TaskExamplesInputs) {
    this.#inputs = inputs;
    this.#places = new Places(inputs.data, inputs.part);
    this.#random = Random.fromSeed(inputs.seed).split(`examples of ${inputs.part}`);
    let sum = 0;
    this.#bounds = inputs.tasks.map(({ weight }) => (sum += weight));
    if (this.#places.count === 0) throw noQuestions(inputs.part, 'none');
  }

  /**
   * The example of a number: task, user, position and wording are drawn by it. Where a task cannot be asked, it is drawn
   * again.
   *
   * @throws UserLlmError `no-questions` when that never succeeds.
   */
  at(number: number): PlacedExample {
    const { tasks, sampling, part } = this.#inputs;
    const draws = this.#random.at(number);
    for (let attempt = 0; attempt < mostDraws; attempt++) {
      const draw = draws.at(attempt);
      const chosen = draw.split('task').stream().uniform() * this.#bounds.at(-1)!;
      const { task } = tasks[this.#bounds.findIndex((bound) => chosen < bound)]!;
      const place = this.#places.draw(draw.split('place'), sampling);
      const phrasing = draw.split('phrasing').stream().below(task.phrasings);
      const example = this.#ask(task, place, phrasing);
      if (example) return { ...place, example };
    }
    throw noQuestions(part, `${mostDraws} places in vain`);
  }

  /**
   * One example of a task for each of some users, at the user's oldest place, in its first wording.
   *
   * @param most How many users, drawn by the seed.
   */
  ofUsers(task: Task, most: number): PlacedExample[] {
    const places = this.#places.firstOfUsers();
    const order = this.#random.split('users').permutation(places.length);
    const examples: PlacedExample[] = [];
    for (const at of order) {
      if (examples.length === most) break;
      const example = this.#ask(task, places[at]!, 0);
      if (example) examples.push({ ...places[at]!, example });
    }
    return examples;
  }

  #ask(task: Task, { user, position }: Place, phrasing: number): Example | undefined {
    const { data, maximumEvents } = this.#inputs;
    return task.example({ history: this.#known(user), position, length: maximumEvents, phrasing }, data.catalogue);
  }

  /** What of a user's history belongs to this part or an earlier one: an answer may lie in the future, but not further. */
  #known(user: number): History {
    const recent = this.#recent.get(user);
    if (recent) return recent;
    const { data, part, mostKept = usuallyKept } = this.#inputs;
    const { user: name, events } = data.histories.history(user);
    const known = { user: name, events: events.slice(0, targetRange(data.timelines, user, data.split, part).to) };
    if (this.#kept > mostKept) {
      this.#recent.clear();
      this.#kept = 0;
    }
    this.#recent.set(user, known);
    this.#kept += known.events.length;
    return known;
  }
}

/** The error of tasks that cannot be asked of a part of the data. */
export function noQuestions(part: Part, got: string): UserLlmError {
  return new UserLlmError('no-questions', {
    what: `tasks on the ${part} part`,
    expected: 'places in the histories where they can be asked',
    got,
    mend: 'Choose tasks that the data can answer (titles, categories, reviews), or part the data in another way.',
  });
}
