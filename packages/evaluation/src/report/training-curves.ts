import { readFile } from 'node:fs/promises';
import type { TrainingCurve } from './report.js';

/** Points of a line at most: more than a plot can show. */
const mostPoints = 300;

/** Figures that a report shows: what is minimised, and what validation found. */
const shown = /^(?<stage>[^/]+)\/(?:(?<validated>validation)\/)?(?<figure>.+)$/u;

/**
 * The curves of a training run, from its `figures.jsonl`: losses of steps, and all figures of validation.
 *
 * @returns None where there is no such file. Where a resumed run has repeated steps, the later figures count.
 */
export async function trainingCurves(file: string): Promise<TrainingCurve[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const curves = new Map<string, Omit<TrainingCurve, 'points'> & { readonly points: Map<number, number> }>();
  for (const line of text.split('\n')) {
    const { step, ...figures } = lineOf(line);
    if (typeof step !== 'number') continue;
    for (const [name, value] of Object.entries(figures)) {
      const { stage, validated, figure } = shown.exec(name)?.groups ?? {};
      if (stage === undefined || figure === undefined || typeof value !== 'number') continue;
      if (validated === undefined && figure !== 'loss') continue;
      const series = validated ?? 'training';
      const curve = curves.get(name) ?? { stage, figure, series, points: new Map<number, number>() };
      curves.set(name, curve);
      curve.points.set(step, value);
    }
  }
  return [...curves.values()].map(({ points, ...curve }) => ({ ...curve, points: thinned(points) }));
}

function lineOf(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    // The last line of a run that was killed may be cut.
    return {};
  }
}

/** Points in order of steps; where there are too many, the mean of each run of neighbours at its last step. */
function thinned(points: ReadonlyMap<number, number>): TrainingCurve['points'] {
  const ordered = [...points].sort(([a], [b]) => a - b);
  const run = Math.ceil(ordered.length / mostPoints);
  return Array.from({ length: Math.ceil(ordered.length / Math.max(1, run)) }, (_, at) => {
    const own = ordered.slice(at * run, (at + 1) * run);
    return { step: own.at(-1)![0], value: own.reduce((sum, [, value]) => sum + value, 0) / own.length };
  });
}
