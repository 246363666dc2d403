import type { TestQuestion } from '@user-llm/evaluation';
import type { Event } from '@user-llm/plugin';
import type { UserLlm } from '@user-llm/user-llm';
import type { Test } from './judge.js';

/** What was asked about a user, what the model said, and what is true. */
export interface Answered {
  readonly question: string;
  readonly answer: string;
  readonly truth: string;
}

/** One user of the test: what they did, and what the model says of them. */
export interface RealUser {
  readonly user: string;
  /** Films rated before the test, the last ones, oldest first: `Title (year), rated 4.5`. */
  readonly history: readonly string[];
  /** Genres of the events that are read, most frequent first, with their numbers. */
  readonly genres: readonly (readonly [genre: string, events: number])[];
  readonly answers: readonly Answered[];
}

/** The first user of the test with at least so many events before it, so that there is a taste to tell of. */
function chooseUser({ asked }: Test, maximumEvents: number): string {
  const long = asked.questions.find(({ example }) => example.history.length >= maximumEvents);
  return (long ?? asked.questions[0]!).example.user;
}

/**
 * Asks the model three questions about a real user.
 *
 * @param maximumEvents Events that the model reads at most.
 */
export async function askAboutUser(
  test: Test,
  userLlm: UserLlm,
  maximumEvents: number,
  signal: AbortSignal,
): Promise<RealUser> {
  const user = chooseUser(test, maximumEvents);
  const asked = test.asked.questions.filter(({ example }) => example.user === user);
  const { history } = asked[0]!.example;
  const state = await userLlm.encode(history);
  const answers: Answered[] = [];
  for (const { answers: kind, example, seen } of asked) {
    const answer =
      kind === 'item'
        ? await titles(userLlm, state, seen, signal)
        : await whole(
            userLlm.generate({ user: state, prompt: example.instruction, temperature: 0, maximumTokens: 12, signal }),
          );
    answers.push({ question: example.instruction, answer, truth: example.target });
  }
  return {
    user,
    history: history.slice(-8).map((event) => told(event, test)),
    genres: genresOf(history, test),
    answers,
  };
}

async function titles(
  userLlm: UserLlm,
  user: Awaited<ReturnType<UserLlm['encode']>>,
  seen: TestQuestion['seen'],
  signal: AbortSignal,
): Promise<string> {
  const found = await userLlm.recommend(user, 3, { by: 'llm', exclude: seen, signal });
  return found.map(({ title, item }) => title ?? item).join(' / ');
}

async function whole(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text.trim();
}

function told({ item, rating }: Event, { data }: Test): string {
  const title = data.catalogue.get(item)?.title ?? item;
  return rating === undefined || rating === null ? title : `${title}, rated ${rating}`;
}

function genresOf(history: readonly Event[], { data }: Test): RealUser['genres'] {
  const counts = new Map<string, number>();
  for (const { item } of history) {
    for (const genre of data.catalogue.get(item)?.categories ?? []) counts.set(genre, (counts.get(genre) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}
