import type { TrainedOn } from '@user-llm/user-llm';
import type { EvaluationData } from '../data/evaluation-data.js';
import { trainingHistories } from '../protocol/protocol.js';
import type { Questions } from '../protocol/questions.js';

/**
 * A warning for every model that was trained on other data, on events that it is asked about, or on users that the split
 * holds out.
 *
 * @param models What each was trained on, by what the report calls it.
 */
export function trainingWarnings(
  data: EvaluationData,
  { split, questions }: Pick<Questions, 'split' | 'questions'>,
  models: Readonly<Record<string, TrainedOn>>,
): string[] {
  return Object.entries(models).flatMap(([name, trained]) => {
    if (data.fingerprint !== undefined && data.fingerprint !== trained.data) {
      return [`${name} was trained on other data than it is tested on: whether it has seen the answers is not known.`];
    }
    const learned = new Map(trainingHistories(data, trained.split).map(({ user, events }) => [user, events.length]));
    const known = questions.filter(({ position, example: { user } }) => {
      const length = learned.get(user) ?? 0;
      return split.kind === 'held-out-users' ? length > 0 : position < length;
    });
    if (known.length === 0) return [];
    const what = split.kind === 'held-out-users' ? 'users' : 'events';
    const asked = `${known.length} of ${questions.length} questions to ${name} are about ${what} that it was trained on`;
    return [`${asked}: it was trained with the split ${JSON.stringify(trained.split)}.`];
  });
}
