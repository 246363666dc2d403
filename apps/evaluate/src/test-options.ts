import { InvalidArgumentError, Option, type Command, type OptionValues } from '@commander-js/extra-typings';
import { openDataset } from '@user-llm/datasets';
import {
  globalTime,
  heldOutUsers,
  leaveLastOut,
  planQuestions,
  readEvaluationData,
  type EvaluationData,
  type QuestionOptions,
  type Questions,
} from '@user-llm/evaluation';
import type { Registry } from '@user-llm/plugin';

/** What every command is told of its test. */
export interface TestFlags extends OptionValues {
  readonly data: string;
  readonly out?: string | undefined;
  readonly users?: number | undefined;
  readonly seed: number;
  readonly split: 'leave-last-out' | 'time' | 'held-out-users';
  readonly testShare: number;
  readonly tasks: string;
  readonly resamples: number;
  /** Modules of plugins. */
  readonly plugin: readonly string[];
  /** Events of a history that may be read; all when absent. */
  readonly historyLength?: number | undefined;
}

/** Adds the flags of a test to a command. */
export function withTestOptions<A extends unknown[], O extends OptionValues>(
  command: Command<A, O>,
): Command<A, O & TestFlags> {
  const added = command
    .requiredOption('--data <folder>', 'a prepared data set')
    .option('--out <folder>', 'write a report there: HTML, Markdown, JSON, and the answers one by one')
    .option('--users <n>', 'ask so many users, drawn at random; all when absent', wholeNumber(1))
    .option('--seed <n>', 'seed of everything random', wholeNumber(0), 0)
    .addOption(
      new Option('--split <kind>', 'whom to ask about what')
        .choices(['leave-last-out', 'time', 'held-out-users'] as const)
        .default('leave-last-out' as const),
    )
    .option(
      '--test-share <share>',
      'time, held-out-users: share of events or users, as much again validates',
      share,
      0.1,
    )
    .option(
      '--tasks <names>',
      'what to ask, with commas between; what the data do not allow is left out',
      'next-item,favourite-genre,future-favourite-genre',
    )
    .option('--resamples <n>', 'bootstrap resamples for the intervals', wholeNumber(1), 1000)
    .option(
      '--plugin <module>',
      'plugin with parts of the model, or with tasks: a path that starts with ./ or /, or a package; can be repeated',
      collect,
      [] as readonly string[],
    );
  return added as unknown as Command<A, O & TestFlags>;
}

/** A data set and the questions of a test on it. */
export interface OpenedTest {
  readonly data: EvaluationData;
  readonly questions: Questions;
}

/**
 * Reads the data set and plans the questions that flags ask for.
 *
 * @throws UserLlmError as `openDataset`, `readEvaluationData`, `planQuestions`; `unknown-part` for a task there is not.
 */
export async function openTest(flags: TestFlags, registry: Registry): Promise<OpenedTest> {
  const tasks = flags.tasks.split(',').map((name) => registry.get('tasks', name.trim()));
  const { manifest, paths } = await openDataset(flags.data);
  const own = new Set(['user', 'item', 'time']);
  const fields = Object.keys(manifest.schema.events).filter((field) => !own.has(field));
  const data = await readEvaluationData({ name: manifest.source, ...paths, fields });
  return { data, questions: planQuestions(data, { ...questionOptions(flags, data), tasks }) };
}

function questionOptions(flags: TestFlags, data: EvaluationData): Omit<QuestionOptions, 'tasks'> {
  const shares = { validation: flags.testShare, test: flags.testShare };
  const splits = {
    'leave-last-out': () => leaveLastOut,
    time: () => globalTime(data, shares),
    'held-out-users': () => heldOutUsers({ ...shares, seed: flags.seed }),
  };
  return {
    split: splits[flags.split](),
    seed: flags.seed,
    ...(flags.users !== undefined && { users: flags.users }),
    ...(flags.historyLength !== undefined && { historyLength: flags.historyLength }),
  };
}

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text];

/** Reads a whole number of at least so much. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least}.`);
  };
}

function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 0.5) return value;
  throw new InvalidArgumentError('It must be above 0 and at most 0.5.');
}
