import type { Report } from '@user-llm/evaluation';

/** What a person is told of a report: a table for each task, with intervals, and the warnings. */
export function resultTable(report: Report): string {
  const tasks = [...new Set(report.results.map(({ task }) => task))];
  const { counts } = report.protocol;
  const asked = `${counts.asked.toLocaleString('en-US')} of ${counts.users.toLocaleString('en-US')} users`;
  return [
    `${report.data.name}: ${asked} asked by ${report.protocol.split.kind}, ${report.data.items.toLocaleString('en-US')} items ranked`,
    ...tasks.map((task) => `\n${task}\n${taskTable(report, task)}`),
    ...report.warnings.map((warning) => `\nWarning: ${warning}`),
    '',
  ].join('\n');
}

function taskTable({ results, published }: Report, task: string): string {
  const own = results.filter((result) => result.task === task);
  const metrics = own[0]?.metrics.map(({ metric }) => metric) ?? [];
  const rows = own.map(({ candidate, metrics: found }) => [
    candidate,
    ...found.map(({ value, low, high }) =>
      low === undefined || high === undefined ? short(value) : `${short(value)} ${short(low)}-${short(high)}`,
    ),
  ]);
  const beside = published
    .filter((each) => each.task === task)
    .map(({ method, values }) => [`published: ${method}`, ...metrics.map((metric) => tell(values[metric]))]);
  return columns([['', ...metrics], ...rows, ...beside]);
}

const tell = (value: number | undefined) => (value === undefined ? '' : short(value));

/** Three digits without the zero before the point, as tables of the field have them. */
function short(value: number): string {
  return value.toFixed(3).replace(/^(-?)0\./u, '$1.');
}

/** Rows of cells under each other: the first column from the left, the others from their left too. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('   ')}`.trimEnd())
    .join('\n');
}
