import type { UserLlm } from '@user-llm/user-llm';
import type { EvaluationData } from '../data/evaluation-data.js';
import type { Candidate } from './candidate.js';

/** What of a User-LLM is judged as an encoder alone. */
export type RankingEncoder = Pick<UserLlm, 'itemScores' | 'catalogue' | 'model'>;

/**
 * The user encoder alone: its scores of the whole catalogue for the event after the last. Items that the model does not
 * know are last.
 */
export function encoderCandidate(
  { items }: Pick<EvaluationData, 'items'>,
  userLlm: RankingEncoder,
  { name = 'encoder alone', batchSize = 32 }: { readonly name?: string; readonly batchSize?: number } = {},
): Candidate {
  const placeOf = new Map(userLlm.catalogue.map(({ item }, place) => [item, place]));
  const places = items.map((item) => placeOf.get(item) ?? -1);
  return {
    name,
    description: `the ${userLlm.model.config.encoder.name} encoder without the LLM: its scores of all items`,
    kind: 'model',
    batchSize,
    rank: async (questions, { signal }) => {
      const histories = questions.map(({ example }) => example.history);
      const scores = await userLlm.itemScores(histories, signal);
      return scores.map((own) => ({
        kind: 'scores' as const,
        scores: Float32Array.from(places, (place) => own[place] ?? -Infinity),
      }));
    },
  };
}
