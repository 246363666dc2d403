import {
  answersTask,
  commonCategoryCandidate,
  frequentCategoryCandidate,
  markovCandidate,
  popularityCandidate,
  trainingHistories,
  type Candidate,
} from '@user-llm/evaluation';
import type { OpenedTest } from './test-options.js';

/** The baselines that have an answer to what is asked, learned from what models may learn from. */
export function baselines({ data, questions }: OpenedTest): Candidate[] {
  const training = trainingHistories(data, questions.split);
  const { tasks, counts } = questions;
  const asked = tasks.filter(({ name }) => (counts.questions[name] ?? 0) > 0);
  return [
    popularityCandidate(data, training),
    markovCandidate(data, training),
    commonCategoryCandidate(data, training, tasks),
    frequentCategoryCandidate(data, tasks),
    frequentCategoryCandidate(data, tasks, 10),
  ].filter((candidate) => asked.some((task) => answersTask(candidate, task)));
}
