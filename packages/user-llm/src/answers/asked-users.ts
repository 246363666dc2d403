import { rowsInto, takeRows } from '../inference/rows.js';
import type { AskedUser, Question } from '../user-llm-options.js';
import type { ContextValues, UserEncoding } from '../user/user-encoding.js';

/** What the LLM reads of the user of each question, one row each; nothing where the LLM is asked alone. */
export async function contextsOf(
  asked: readonly AskedUser[],
  users: Pick<UserEncoding, 'contexts'>,
  signal?: AbortSignal,
): Promise<(ContextValues | undefined)[]> {
  const missing = asked.filter(({ context, withoutUser }) => !context && !withoutUser);
  const places = new Map(missing.map((each, at) => [each, at]));
  const computed =
    missing.length > 0
      ? await users.contexts(
          missing.map(({ user = [] }) => user),
          signal,
        )
      : {};
  return asked.map((each) => {
    if (each.withoutUser) return undefined;
    return each.context ?? takeRows(computed, [places.get(each)!]);
  });
}

/**
 * Asks those about users and those of the LLM alone, each together, and puts what comes in the order of the questions.
 *
 * @param ask Is given prompts, what the LLM reads of their users (nothing for the LLM alone), and which questions they are.
 */
export async function bySide<T>(
  questions: readonly Question[],
  users: Pick<UserEncoding, 'contexts'>,
  signal: AbortSignal | undefined,
  ask: (prompts: string[], context: ContextValues | undefined, rows: number[]) => Promise<T[]>,
): Promise<T[]> {
  const contexts = await contextsOf(questions, users, signal);
  const results = new Array<T>(questions.length);
  for (const about of [true, false]) {
    const rows = [...contexts.keys()].filter((row) => (contexts[row] !== undefined) === about);
    if (rows.length === 0) continue;
    const context = about ? rowsInto(rows.map((row) => contexts[row]!)) : undefined;
    const prompts = rows.map((row) => questions[row]!.prompt);
    const answers = await ask(prompts, context, rows);
    rows.forEach((row, at) => (results[row] = answers[at]!));
  }
  return results;
}
