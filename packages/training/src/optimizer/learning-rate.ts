import type { ScheduleConfig } from './optimizer-config.js';

/**
 * The learning rate of a step, as a share of its peak.
 *
 * A number that is fed, not a part of the graph, so that a budget in minutes has a schedule too.
 *
 * @param step Steps taken before.
 * @param progress Share of the budget that is used up, 0 to 1.
 */
export function learningRateShare(
  { kind, warmUpSteps, final }: ScheduleConfig,
  step: number,
  progress: number,
): number {
  const warm = warmUpSteps === 0 ? 1 : Math.min(1, (step + 1) / warmUpSteps);
  const done = Math.min(1, Math.max(0, progress));
  switch (kind) {
    case 'constant':
      return warm;
    case 'linear':
      return warm * (1 + (final - 1) * done);
    case 'cosine':
      return warm * (final + ((1 - final) * (1 + Math.cos(Math.PI * done))) / 2);
  }
}
