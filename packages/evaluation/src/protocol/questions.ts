import type { AnswerKind, Example, Task } from '@user-llm/plugin';
import { Random, UserLlmError } from '@user-llm/tensor';
import type { Part, Split } from '@user-llm/tokenization';
import type { EvaluationData } from '../data/evaluation-data.js';
import { positionsAsked } from './protocol.js';

/** One question of the test, with its true answer. */
export interface TestQuestion {
  /** Its place among all questions of the test. */
  readonly index: number;
  readonly answers: AnswerKind;
  /** Where in the user's history it is asked. */
  readonly position: number;
  /** What is asked; its history is what may be known, oldest first. */
  readonly example: Example;
  /** Items of the user's events before `position`: they are not ranked. */
  readonly seen: ReadonlySet<string>;
}

/** What is asked of whom. */
export interface QuestionOptions {
  readonly split: Split;
  /** Each user is asked about each; a task that cannot be asked of a user is left out for that user. */
  readonly tasks: readonly Task[];
  /** `test` when absent. */
  readonly part?: Exclude<Part, 'train'>;
  /** Ask only so many users, drawn at random; all when absent. */
  readonly users?: number;
  /** Of the drawing; 0 when absent. */
  readonly seed?: number;
  /** Events of a history that may be read, the last ones; all when absent. */
  readonly historyLength?: number;
  /** Which phrasing of each instruction; the first when absent, the same for everyone. */
  readonly phrasing?: number;
}

/** How many were there, and how many were asked. */
export interface QuestionCounts {
  readonly users: number;
  /** Users with an event to ask about. */
  readonly eligible: number;
  /** Users drawn. */
  readonly asked: number;
  /** Questions by task. */
  readonly questions: Readonly<Record<string, number>>;
}

/** A test: its questions, and all that is needed to make them again. */
export interface Questions {
  readonly split: Split;
  readonly part: Exclude<Part, 'train'>;
  readonly seed: number;
  readonly tasks: readonly Task[];
  readonly questions: readonly TestQuestion[];
  readonly counts: QuestionCounts;
}

/**
 * The questions of a test. The same data, options and seed give the same questions.
 *
 * @throws UserLlmError `no-questions` when nobody can be asked anything, `bad-options` for a number of users below 1 or
 *   two tasks of one name.
 */
export function planQuestions(data: EvaluationData, options: QuestionOptions): Questions {
  const { split, tasks, part = 'test', users, seed = 0, historyLength, phrasing = 0 } = options;
  checkOptions(options);
  const positions = positionsAsked(data.histories, split, part);
  const eligible = positions.flatMap((position, user) => (position === undefined ? [] : [user]));
  const chosen = draw(eligible, users ?? eligible.length, Random.fromSeed(seed).split('users'));
  const questions: TestQuestion[] = [];
  for (const user of chosen) {
    const history = data.histories[user]!;
    const position = positions[user]!;
    const seen = new Set(history.events.slice(0, position).map(({ item }) => item));
    for (const task of tasks) {
      const length = historyLength === undefined ? {} : { length: historyLength };
      const example = task.example({ history, position, phrasing, ...length }, data.catalogue);
      if (example === undefined) continue;
      questions.push({ index: questions.length, answers: task.answers, position, example, seen });
    }
  }
  if (questions.length === 0) {
    throw new UserLlmError('no-questions', {
      what: `${part} questions of ${data.name} by ${split.kind}`,
      expected: 'at least one user with an event to ask about and one before it',
      got: `${eligible.length} of ${data.histories.length} users, none of whom ${tasks.map(({ name }) => name).join(', ')} can be asked`,
      mend: 'Choose another split, or tasks that the data allow (genres need categories in the catalogue).',
    });
  }
  const count = (name: string) => questions.filter(({ example }) => example.task === name).length;
  return {
    split,
    part,
    seed,
    tasks,
    questions,
    counts: {
      users: data.histories.length,
      eligible: eligible.length,
      asked: chosen.length,
      questions: Object.fromEntries(tasks.map(({ name }) => [name, count(name)])),
    },
  };
}

/** A random choice in the order of the data. */
function draw(from: readonly number[], count: number, random: Random): number[] {
  if (count >= from.length) return [...from];
  const order = random.permutation(from.length);
  return [...order.subarray(0, count)].sort((a, b) => a - b).map((at) => from[at]!);
}

function checkOptions({ users, tasks, historyLength }: QuestionOptions): void {
  const atLeastOne = (name: string, value: number | undefined) => {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return;
    throw new UserLlmError('bad-options', {
      what: `questions' ${name}`,
      expected: 'a whole number from 1',
      got: String(value),
    });
  };
  atLeastOne('users', users);
  atLeastOne('historyLength', historyLength);
  const names = tasks.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined && names.length > 0) return;
  throw new UserLlmError('bad-options', {
    what: 'tasks of a test',
    expected: 'one or more, of different names',
    got: twice === undefined ? 'none' : `${twice} twice`,
  });
}
