import type { Metric, Task } from '@user-llm/plugin';
import { favouriteCategoryTask } from './favourite-category.js';
import { accuracy } from './metrics/accuracy.js';
import { bleu } from './metrics/bleu.js';
import { distinct } from './metrics/distinct.js';
import { hitRateAt, ndcgAt, recallAt, reciprocalRankAt } from './metrics/ranking.js';
import { rouge } from './metrics/rouge.js';
import { nextItemTask } from './next-item.js';
import { reviewTask } from './review.js';

/** The tasks of the package with their usual options, as a plugin registers them. */
export function builtInTasks(): Task[] {
  return [
    nextItemTask(),
    favouriteCategoryTask({ noun: 'genre' }),
    favouriteCategoryTask({ noun: 'category' }),
    favouriteCategoryTask({ noun: 'genre', over: 'future' }),
    favouriteCategoryTask({ noun: 'category', over: 'future' }),
    reviewTask({ of: 'text' }),
    reviewTask({ of: 'summary' }),
  ];
}

/** Every metric that those tasks name, and their kin, as a plugin registers them. */
export function builtInMetrics(): (Metric<'item'> | Metric<'label'> | Metric<'text'>)[] {
  return [
    ...[1, 5, 10, 20].flatMap((k) => [recallAt(k), hitRateAt(k), ndcgAt(k), reciprocalRankAt(k)]),
    accuracy(),
    ...(['rouge1', 'rouge2', 'rougeL'] as const).flatMap((kind) => [rouge(kind), rouge(kind, { stemming: true })]),
    bleu(),
    distinct(1),
    distinct(2),
  ];
}
