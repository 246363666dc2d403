import type { Evaluation, TaskResult } from '../judge/evaluate-candidates.js';

/** Floors from the lowest, and what it means to be below. */
const floors = [
  { baseline: 'popularity', verdict: 'a failed run' },
  { baseline: 'most common category', verdict: 'one answer for everyone is better' },
  { baseline: 'markov', verdict: 'no better than counting' },
] as const;

/** A warning for every model that is below a floor on the task's Recall@10 (or its first metric), the lowest floor only. */
export function floorWarnings({ candidates, results }: Pick<Evaluation, 'candidates' | 'results'>): string[] {
  const models = new Set(candidates.filter(({ kind }) => kind === 'model').map(({ name }) => name));
  return results.flatMap((result) => {
    if (!models.has(result.candidate)) return [];
    const own = tellingMetric(result);
    for (const { baseline, verdict } of floors) {
      const floor = results.find(({ candidate, task }) => candidate === baseline && task === result.task);
      const theirs = floor?.metrics.find(({ metric }) => metric === own?.metric);
      if (own === undefined || theirs === undefined || own.value >= theirs.value) continue;
      const figures = `${own.metric} ${own.value.toFixed(3)} against ${theirs.value.toFixed(3)}`;
      return [`${result.candidate} is below ${baseline} on ${result.task} (${figures}): ${verdict}.`];
    }
    return [];
  });
}

/** The metric that a task's candidates are compared by at a glance. */
export function tellingMetric({ metrics }: Pick<TaskResult, 'metrics'>): TaskResult['metrics'][number] | undefined {
  return metrics.find(({ metric }) => metric === 'recall@10') ?? metrics[0];
}
