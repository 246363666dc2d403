import type { TopLevelSpec } from 'vega-lite';
import { totalFlops } from '../cost/answer-cost.js';
import type { Html } from './html.js';
import { lineColours, plot } from './plot.js';
import type { CostMeasurement, TrainingCurve } from './report.js';
import { taskTitle } from './words.js';

interface Line {
  readonly series: string;
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

interface LinePlot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  readonly logarithmic?: boolean;
  readonly points?: boolean;
}

function lineSpec({ title, x, y, lines, logarithmic = false, points = false }: LinePlot): TopLevelSpec {
  const scale = logarithmic ? { type: 'log', nice: true } : { zero: false, nice: true };
  const names = [...new Set(lines.map(({ series }) => series))];
  const measuredAt = [...new Set(lines.map((line) => line.x))];
  const across = {
    field: 'x',
    type: 'quantitative',
    title: x,
    scale: logarithmic ? { type: 'log', nice: false } : { zero: false, nice: true },
    axis: { grid: false, format: '~s', ...(points ? { values: measuredAt } : { tickCount: 5 }) },
  };
  const up = {
    field: 'y',
    type: 'quantitative',
    title: y,
    scale,
    axis: { tickCount: 5, format: logarithmic ? '~s' : '~g' },
  };
  const spec = {
    title,
    width: 222,
    height: 210,
    data: { values: lines },
    encoding: {
      x: across,
      color: {
        field: 'series',
        type: 'nominal',
        sort: names,
        scale: { domain: names, range: lineColours },
        legend: names.length > 1 ? { title: null, orient: 'bottom', columns: 1, offset: 10 } : null,
      },
    },
    layer: [
      {
        transform: [{ filter: 'isValid(datum.low)' }],
        mark: { type: 'rule', opacity: 0.4, strokeWidth: 2 },
        encoding: { y: { ...up, field: 'low' }, y2: { field: 'high' } },
      },
      { mark: { type: 'line', strokeWidth: 2, point: points ? { size: 45 } : false }, encoding: { y: up } },
    ],
  };
  return spec as unknown as TopLevelSpec;
}

/** Measured time of an answer, time to its first token, and operations, each over the length of the history. */
export async function costPlots(costs: readonly CostMeasurement[]): Promise<Html[]> {
  if (costs.length === 0) return [];
  const x = 'events of the history';
  const time = (title: string, figure: 'answer' | 'firstToken'): LinePlot => ({
    title,
    x,
    y: 'milliseconds, median and range',
    logarithmic: true,
    points: true,
    lines: costs.map((cost) => ({
      series: cost.candidate,
      x: cost.historyEvents,
      y: cost[figure].median,
      low: cost[figure].least,
      high: cost[figure].most,
    })),
  });
  const work: LinePlot = {
    title: 'Operations of an answer',
    x,
    y: 'floating-point operations',
    logarithmic: true,
    points: true,
    lines: costs.map((cost) => ({ series: cost.candidate, x: cost.historyEvents, y: totalFlops(cost.flops) })),
  };
  const plots = [time('Time to the first token', 'firstToken'), time('Time of a whole answer', 'answer'), work];
  return Promise.all(plots.map((each) => plot(lineSpec(each), `${each.title} over ${x}`)));
}

/** One plot for each figure of each stage; a curve of one point is none. */
export async function curvePlots(curves: readonly TrainingCurve[]): Promise<Html[]> {
  const groups = new Map<string, TrainingCurve[]>();
  for (const curve of curves.filter(({ points }) => points.length > 1)) {
    const name = `${taskTitle(curve.stage)}: ${curve.figure}`;
    groups.set(name, [...(groups.get(name) ?? []), curve]);
  }
  return Promise.all(
    [...groups].map(([title, own]) => {
      const lines = own.flatMap(({ series, points }) =>
        points.map(({ step, value }) => ({ series, x: step, y: value })),
      );
      return plot(lineSpec({ title, x: 'step', y: own[0]!.figure, lines }), `${title} over training steps`);
    }),
  );
}
