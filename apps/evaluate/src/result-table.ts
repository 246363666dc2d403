import { totalFlops, type Report } from '@user-llm/evaluation';

/** What a person is told of a report: a table for each task, with intervals, and warnings. */
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

/** What a person is told of what was measured beside the answers: controls and costs; empty where there is none. */
export function measuredTable(report: Report): string {
  const parts = [
    ...(report.controls.length > 0 ? [`\nloss per token, by whom the model is told of\n${controlsTable(report)}`] : []),
    ...(report.costs.length > 0 ? [`\ncost of an answer\n${costsTable(report)}`] : []),
  ];
  return parts.map((part) => `${part}\n`).join('');
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

function controlsTable({ controls }: Report): string {
  const rows = controls.flatMap(({ task, questions, conditions }) =>
    conditions.map(({ condition, loss, above }) => [
      task,
      `${questions}`,
      condition,
      short(loss.value),
      above === undefined ? '' : `${signed(above.value)} (${signed(above.low)} to ${signed(above.high)})`,
    ]),
  );
  return columns([['', 'questions', 'told of', 'loss', 'above own user'], ...rows]);
}

function costsTable({ costs }: Report): string {
  const milliseconds = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  const rows = costs.map((cost) => [
    cost.candidate,
    cost.historyEvents === cost.eventsRead
      ? `${cost.historyEvents}`
      : `${cost.historyEvents} (${cost.eventsRead} read)`,
    `${cost.promptTokens}`,
    `${cost.answerTokens}`,
    `${(totalFlops(cost.flops) / 1e6).toFixed(1)}`,
    milliseconds(cost.firstToken.median),
    milliseconds(cost.answer.median),
  ]);
  return columns([['', 'events', 'prompt tokens', 'answer tokens', 'MFLOP', 'first token', 'whole answer'], ...rows]);
}

const signed = (value: number) => `${value < -0.0005 ? '-' : value >= 0.0005 ? '+' : ''}${short(Math.abs(value))}`;

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
