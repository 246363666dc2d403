import type { Question, UserLlm } from '@user-llm/user-llm';
import type { EvaluationData } from '../data/evaluation-data.js';
import type { TestQuestion } from '../protocol/questions.js';
import type { Candidate } from './candidate.js';

/** What of a User-LLM answers in words. */
export type AnsweringModel = Pick<
  UserLlm,
  'rankTitles' | 'scoreChoices' | 'answers' | 'generate' | 'context' | 'model' | 'parts'
>;

/** How an LLM answers questions. */
export interface LanguageOptions {
  readonly name?: string;
  /** Items that the search over titles finds; what it does not find is a miss. 10 when absent. */
  readonly count?: number;
  /** Beginnings of titles followed up at one time; 32 when absent. */
  readonly beamWidth?: number;
  /** Tokens of a free answer at most; 64 when absent. */
  readonly maximumTokens?: number;
  /** Questions at once; 16 when absent. */
  readonly batchSize?: number;
}

/** A way to put questions to an LLM. */
export interface PuttingQuestions {
  readonly name: string;
  readonly description: string;
  put(question: TestQuestion): Question;
}

/**
 * A candidate that answers by an LLM: items by beam search over the catalogue's titles, labels by the likelihood of each
 * category there is, texts by what it writes (greedily).
 */
export function languageCandidate(
  { catalogue, places }: Pick<EvaluationData, 'catalogue' | 'places'>,
  userLlm: AnsweringModel,
  { name, description, put }: PuttingQuestions,
  { count = 10, beamWidth = 32, maximumTokens = 64, batchSize = 16 }: LanguageOptions,
): Candidate {
  const labels = categoriesOf(catalogue);
  return {
    name,
    description,
    kind: 'model',
    batchSize,
    rank: async (questions, { signal }) => {
      const exclude = questions.map(({ seen, example }) => withoutItem(seen, example.item));
      const found = await userLlm.rankTitles(questions.map(put), {
        count,
        beamWidth,
        exclude,
        ...(signal && { signal }),
      });
      // The model may know items that the data set does not rank.
      return found.map((items) => ({
        kind: 'list' as const,
        items: items.map(({ item }) => item).filter((item) => places.has(item)),
      }));
    },
    answer: async (questions, { signal }) => {
      const words = new Map<number, string>();
      const chosen = questions.filter(({ answers }) => answers === 'label');
      if (chosen.length > 0) {
        const scores = await userLlm.scoreChoices(chosen.map(put), labels, signal);
        chosen.forEach(({ index }, row) => words.set(index, labels[best(scores[row]!)]!));
      }
      const written = questions.filter(({ answers }) => answers !== 'label');
      const options = { maximumTokens, temperature: 0, ...(signal && { signal }) };
      const answers = await userLlm.answers(written.map((question) => ({ ...put(question), ...options })));
      written.forEach(({ index }, row) => words.set(index, answers[row]!));
      return questions.map(({ index }) => words.get(index)!);
    },
  };
}

/** Every category of the catalogue, in the order of the alphabet. */
function categoriesOf(catalogue: EvaluationData['catalogue']): string[] {
  const all = [...catalogue.values()].flatMap(({ categories }) => categories ?? []);
  return [...new Set(all)].sort();
}

/** The true item counts also where the user has had it before. */
function withoutItem(seen: ReadonlySet<string>, item: string | undefined): ReadonlySet<string> {
  if (item === undefined || !seen.has(item)) return seen;
  const others = new Set(seen);
  others.delete(item);
  return others;
}

function best(scores: Float64Array): number {
  return scores.reduce((found, score, at) => (score > scores[found]! ? at : found), 0);
}
