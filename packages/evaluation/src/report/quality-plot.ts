import type { TopLevelSpec } from 'vega-lite';
import { tellingMetric } from './floor-warnings.js';
import type { Html } from './html.js';
import { plot } from './plot.js';
import type { Report } from './report.js';
import { metricTitle, taskTitle } from './words.js';

const colours = { model: '#0072b2', baseline: '#7d8896', published: '#b4550a' };

/** The candidates of a task beside each other: a point and an interval for each, published results hollow. */
export async function qualityPlot(report: Report, task: string): Promise<Html> {
  const results = report.results.filter((result) => result.task === task);
  const first = results[0] && tellingMetric(results[0]);
  const has = (metric: string) => results[0]?.metrics.some((each) => each.metric === metric);
  const metrics = [...new Set([first?.metric ?? '', ...(has('ndcg@10') ? ['ndcg@10'] : [])])];
  const published = report.published.filter((each) => each.task === task);
  const kindOf = new Map(report.candidates.map(({ name, kind }) => [name, kind]));
  const rowsOf = (metric: string) => [
    ...results.flatMap(({ candidate, metrics: own }) => {
      const found = own.find((each) => each.metric === metric);
      return found ? [{ ...found, name: candidate, kind: kindOf.get(candidate) ?? 'model' }] : [];
    }),
    ...published.flatMap(({ method, values }) => {
      const value = values[metric];
      return value === undefined ? [] : [{ name: method, kind: 'published', value, low: value, high: value }];
    }),
  ];
  const order = [...results.map(({ candidate }) => candidate), ...published.map(({ method }) => method)];
  const row = { field: 'name', type: 'nominal', sort: order, title: null } as const;
  const panel = (metric: string, at: number) => ({
    title: metricTitle(metric),
    width: metrics.length > 1 ? 330 : 560,
    height: { step: 26 },
    data: { values: rowsOf(metric) },
    encoding: {
      y: { ...row, axis: at === 0 ? { labelLimit: 460, labelPadding: 10, labelColor: '#1f2733' } : null },
      color: {
        field: 'kind',
        type: 'nominal',
        scale: { domain: Object.keys(colours), range: Object.values(colours) },
        legend: null,
      },
    },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2.5, strokeCap: 'round', opacity: 0.55 },
        encoding: {
          x: {
            field: 'low',
            type: 'quantitative',
            title: null,
            scale: { zero: true, nice: true },
            axis: { tickCount: 5, format: '.2~f' },
          },
          x2: { field: 'high' },
        },
      },
      {
        transform: [{ filter: "datum.kind != 'published'" }],
        mark: { type: 'point', filled: true, size: 70, opacity: 1 },
        encoding: { x: { field: 'value', type: 'quantitative' } },
      },
      {
        transform: [{ filter: "datum.kind == 'published'" }],
        mark: { type: 'point', shape: 'diamond', filled: false, size: 70, strokeWidth: 1.8, opacity: 1 },
        encoding: { x: { field: 'value', type: 'quantitative' } },
      },
    ],
  });
  const spec = { hconcat: metrics.map(panel), spacing: 28 } as unknown as TopLevelSpec;
  return plot(spec, `${taskTitle(task)}: ${metrics.map(metricTitle).join(' and ')} of each candidate with intervals`);
}
