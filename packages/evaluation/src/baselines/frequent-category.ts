import type { Catalogue, Task } from '@user-llm/plugin';
import { favouriteCategory } from '@user-llm/tasks';
import type { Candidate } from '../candidates/candidate.js';
import type { EvaluationData } from '../data/evaluation-data.js';
import type { TestQuestion } from '../protocol/questions.js';

/** Names of the tasks whose answer is a category. */
function categoryTasks(tasks: readonly Task[]): string[] {
  return tasks.filter(({ answers }) => answers === 'label').map(({ name }) => name);
}

/** One answer for everyone: the category that is the favourite of most training histories. The floor of any label. */
export function commonCategoryCandidate(
  data: EvaluationData,
  training: readonly { readonly events: EvaluationData['histories'][number]['events'] }[],
  tasks: readonly Task[],
): Candidate {
  const counts = new Map<string, number>();
  for (const { events } of training) {
    const favourite = favouriteCategory(events, data.catalogue);
    if (favourite !== undefined) counts.set(favourite, (counts.get(favourite) ?? 0) + 1);
  }
  const [most = ''] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  return {
    name: 'most common category',
    description: `the favourite of most users (${most || 'none'}), the same for everyone`,
    kind: 'baseline',
    tasks: categoryTasks(tasks),
    answer: (questions) => Promise.resolve(questions.map(() => most)),
  };
}

/**
 * The most frequent category of the last events of each history. With all events it answers the favourite of the history
 * itself (a count: 1 by construction) and is the honest floor of the favourite of the future.
 *
 * @param lastEvents How many of the last events are counted; all when absent.
 */
export function frequentCategoryCandidate(
  { catalogue }: { readonly catalogue: Catalogue },
  tasks: readonly Task[],
  lastEvents = Infinity,
): Candidate {
  const answer = ({ example }: TestQuestion) => favouriteCategory(example.history.slice(-lastEvents), catalogue) ?? '';
  const told = lastEvents === Infinity ? 'the whole history' : `the last ${lastEvents} events`;
  return {
    name: lastEvents === Infinity ? 'own most frequent category' : `own most frequent category of last ${lastEvents}`,
    description: `the most frequent category of ${told}, counted`,
    kind: 'baseline',
    tasks: categoryTasks(tasks),
    answer: (questions) => Promise.resolve(questions.map(answer)),
  };
}
