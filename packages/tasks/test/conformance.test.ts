import { metricChecks, taskChecks } from '@user-llm/plugin/testing';
import { describe, it } from 'vitest';
import { accuracy, builtInMetrics, builtInTasks, favouriteCategoryTask, nextItemTask } from '../src/index.js';

const tasks = [
  ...builtInTasks(),
  nextItemTask({ noun: 'film' }),
  favouriteCategoryTask({ over: 'future', horizon: 3, ignored: ['Drama'] }),
];

describe.each(tasks.map((task) => [task.name, task] as const))('task %s', (_, task) => {
  for (const check of taskChecks(task)) it(check.name, () => check.run());
});

const metrics = [...builtInMetrics(), accuracy({ exact: true })];

describe.each(metrics.map((metric) => [metric.name, metric] as const))('metric %s', (_, metric) => {
  for (const check of metricChecks(metric)) it(check.name, () => check.run());
});
