import { totalFlops, type CostMeasurement, type Report } from '@user-llm/evaluation';

const columns = [
  { title: 'next film R@10', task: 'next-item', metric: 'recall@10' },
  { title: 'next film NDCG@10', task: 'next-item', metric: 'ndcg@10' },
  { title: 'favourite genre', task: 'favourite-genre', metric: 'accuracy' },
] as const;

/** The table that the demo prints: quality with 95% intervals, and what one answer takes. */
export function answerTable(
  { results, candidates }: Pick<Report, 'results' | 'candidates'>,
  costs: ReadonlyMap<string, CostMeasurement>,
): string {
  const rows = candidates.map(({ name }) => {
    const quality = columns.map(({ task, metric }) => {
      const result = results.find((each) => each.candidate === name && each.task === task);
      const found = result?.metrics.find((each) => each.metric === metric);
      if (found === undefined) return '-';
      const interval =
        found.low === undefined || found.high === undefined ? '' : ` ${share(found.low)}-${share(found.high)}`;
      return `${share(found.value)}${interval}`;
    });
    const cost = costs.get(name);
    const effort = cost
      ? [
          `${(totalFlops(cost.flops) / 1e9).toFixed(2)}`,
          cost.firstToken.median.toFixed(1),
          cost.answer.median.toFixed(1),
        ]
      : ['-', '-', '-'];
    return [name, ...quality, ...effort];
  });
  const heading = ['', ...columns.map(({ title }) => title), 'GFLOP', 'ms to first token', 'ms per answer'];
  return alignedColumns([heading, ...rows]);
}

function share(value: number): string {
  return value.toFixed(3).replace(/^0\./, '.');
}

/** Rows of cells under each other. */
export function alignedColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd())
    .join('\n');
}
