import { Random, UserLlmError } from '@user-llm/tensor';
import { intervalOf, pairedDifference, resample, type BootstrapOptions } from '../judge/bootstrap.js';
import { AnswerLosses } from '../model/answer-losses.js';
import type { ModelInHand } from '../model/model-in-hand.js';
import type { TestQuestion } from '../protocol/questions.js';
import type { ControlCondition, ControlResult } from './control-result.js';

/** How controls are measured. */
export interface ControlOptions {
  /** Candidate that the model is; `User-LLM` when absent. */
  readonly name?: string;
  /** Of the choice of other users; 0 when absent. */
  readonly seed?: number;
  readonly bootstrap?: BootstrapOptions;
  /** Questions at once; 16 when absent. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** Called before each condition of each task, such as `next-item, another user`. */
  onProgress?(next: string): void;
}

/**
 * Is the user used? The held-out loss of the true answers when the model is told of the user, of another user of the same
 * test, or of nobody, by task; and the gates of its fusion.
 *
 * @throws UserLlmError `too-few-users` when there is no other user.
 */
export async function userControls(
  held: ModelInHand,
  questions: readonly TestQuestion[],
  options: ControlOptions = {},
): Promise<ControlResult[]> {
  const { name = 'User-LLM' } = options;
  const losses = new AnswerLosses(held);
  const gates = gatesOf(held);
  const tasks = [...new Set(questions.map(({ example }) => example.task))];
  try {
    const results: ControlResult[] = [];
    for (const task of tasks) {
      const asked = questions.filter(({ example }) => example.task === task);
      results.push({
        candidate: name,
        task,
        questions: asked.length,
        gates,
        conditions: await conditionsOf(losses, asked, options),
      });
    }
    return results;
  } finally {
    await losses.dispose();
  }
}

/** The losses of one task under every condition. */
async function conditionsOf(
  losses: AnswerLosses,
  asked: readonly TestQuestion[],
  { seed = 0, bootstrap = {}, batchSize = 16, signal, onProgress }: ControlOptions,
): Promise<ControlResult['conditions']> {
  const others = otherUsers(asked, seed);
  const histories: Readonly<Record<ControlCondition, (at: number) => TestQuestion['example']['history']>> = {
    'own user': (at) => asked[at]!.example.history,
    'another user': (at) => asked[others[at]!]!.example.history,
    'no user': () => [],
  };
  const measured: number[][] = [];
  for (const [condition, history] of Object.entries(histories)) {
    onProgress?.(`${asked[0]!.example.task}, ${condition}`);
    const found: number[] = [];
    for (let from = 0; from < asked.length; from += batchSize) {
      const batch = asked.slice(from, from + batchSize).map(({ example, answers }, at) => ({
        history: history(from + at),
        instruction: example.instruction,
        answer: example.target,
        isTitle: answers === 'item',
      }));
      found.push(...(await losses.of(batch, signal)));
    }
    measured.push(found);
  }
  const users = asked.map(({ example }) => example.user);
  const resampled = resample(users, measured, bootstrap);
  return (Object.keys(histories) as ControlCondition[]).map((condition, at) => {
    const loss = intervalOf(resampled[at]!, bootstrap.confidence);
    if (at === 0) return { condition, loss };
    const { value, low, high } = pairedDifference(resampled[at]!, resampled[0]!, bootstrap.confidence);
    return { condition, loss, above: { value, low, high } };
  });
}

/** For each question another of another user: the questions in a random order, each led to the next of another user. */
function otherUsers(questions: readonly TestQuestion[], seed: number): Int32Array {
  const userOf = (at: number) => questions[at]!.example.user;
  if (new Set(questions.map(({ example }) => example.user)).size < 2) {
    throw new UserLlmError('too-few-users', {
      what: 'controls',
      expected: 'questions of at least two users, so that there is another user',
      got: 'those of one',
      mend: 'Ask more users.',
    });
  }
  const order = Random.fromSeed(seed).split('other users').permutation(questions.length);
  const others = new Int32Array(questions.length);
  order.forEach((question, place) => {
    let next = place;
    do next = (next + 1) % order.length;
    while (userOf(order[next]!) === userOf(question));
    others[question] = order[next]!;
  });
  return others;
}

/** `tanh` of every gate of the fusion, by its name. */
export function gatesOf({ weights }: Pick<ModelInHand, 'weights'>): ControlResult['gates'] {
  return Object.entries(weights)
    .filter(([name, { data }]) => /^fusion\..*\bgate$/u.test(name) && data.length === 1)
    .map(([name, { data }]) => ({
      name: name.replace(/^fusion\./u, '').replace(/\.?gate$/u, ''),
      value: Math.tanh(Number(data[0])),
    }));
}
