import { totalFlops } from '../cost/answer-cost.js';
import { tellingMetric } from './floor-warnings.js';
import type { Report } from './report.js';
import {
  commandLine,
  duration,
  eventsOf,
  figure,
  grouped,
  metricTitle,
  operations,
  probability,
  protocolInWords,
  signed,
  taskTitle,
  withInterval,
} from './words.js';

/** A report in Markdown, for repositories and pull requests. */
export function markdownReport(report: Report): string {
  const { data, provenance, protocol } = report;
  const { machine } = provenance;
  const tasks = [...new Set(report.results.map(({ task }) => task))];
  const commit = provenance.gitCommit === undefined ? 'none' : provenance.gitCommit;
  return [
    `# ${plain(report.title)}`,
    `${plain(data.name)}: ${grouped(data.users)} users, ${grouped(data.items)} items, ${grouped(data.events)} events.`,
    protocolInWords(report),
    ...report.warnings.map((warning) => `**Warning**: ${plain(warning)}`),
    ...tasks.flatMap((task) => taskPart(report, task)),
    ...controlsPart(report),
    ...costPart(report),
    '## Candidates',
    report.candidates.map(({ name, description }) => `- **${plain(name)}**: ${plain(description)}`).join('\n'),
    '## How these figures were made',
    [
      `- command: \`${commandLine(provenance.command).replaceAll('`', "'")}\``,
      `- git commit: ${commit}${provenance.gitChanged ? ', with changes' : ''}`,
      `- data: SHA-256 ${data.hash}`,
      ...(provenance.model === undefined ? [] : [`- model: ${plain(provenance.model)}`]),
      `- wordings: ${plain(protocol.templates.join(', '))}`,
      `- seeds: users ${protocol.seed}, bootstrap ${protocol.bootstrap.seed}`,
      `- machine: ${plain(machine.processor)}, ${machine.cores} cores, ${machine.platform}, Node.js ${machine.node}`,
      `- made at ${provenance.madeAt}`,
    ].join('\n'),
    '',
  ].join('\n\n');
}

function taskPart(report: Report, task: string): string[] {
  const results = report.results.filter((result) => result.task === task);
  const metrics = results[0]?.metrics.map(({ metric }) => metric) ?? [];
  const rows = results.map((result) => [
    result.candidate,
    ...metrics.map((name) => {
      const found = result.metrics.find(({ metric }) => metric === name);
      return found === undefined ? '' : withInterval(found);
    }),
  ]);
  const published = report.published
    .filter((each) => each.task === task)
    .map(({ method, values, source, remark }) => [
      `published: ${method} (${source}${remark === undefined ? '' : `; ${remark}`})`,
      ...metrics.map((metric) => (values[metric] === undefined ? '' : figure(values[metric]))),
    ]);
  const heading = `## ${plain(taskTitle(task))}`;
  return [
    heading,
    tableOf(['candidate', ...metrics.map(metricTitle)], [...rows, ...published]),
    ...differencesPart(report, task),
  ];
}

function differencesPart(report: Report, task: string): string[] {
  const result = report.results.find((each) => each.task === task);
  const metric = result && tellingMetric(result)?.metric;
  const rows = report.differences.filter((each) => each.task === task && each.metric === metric);
  if (metric === undefined || rows.length === 0) return [];
  return [
    `Paired differences of ${metricTitle(metric)}:`,
    tableOf(
      ['candidate', 'against', 'difference', 'not above, p'],
      rows.map(({ candidate, other, value, low, high, notAbove }) => [
        candidate,
        other,
        `${signed(value)} (${signed(low)} to ${signed(high)})`,
        probability(notAbove, report),
      ]),
    ),
  ];
}

function controlsPart({ controls }: Report): string[] {
  if (controls.length === 0) return [];
  const rows = controls.flatMap(({ candidate, task, questions, conditions }) =>
    conditions.map(({ condition, loss, above }) => [
      candidate,
      taskTitle(task),
      `${questions}`,
      condition,
      withInterval(loss),
      above === undefined ? '' : `${signed(above.value)} (${signed(above.low)} to ${signed(above.high)})`,
    ]),
  );
  const gates = new Map(controls.filter((each) => each.gates.length > 0).map((each) => [each.candidate, each.gates]));
  return [
    '## Is the user used?',
    'Loss of the true answer per predicted token, in nats, when the model is told of the user, of another user, or of nobody.',
    tableOf(['candidate', 'task', 'questions', 'told of', 'loss', 'above own user'], rows),
    ...[...gates].map(
      ([name, own]) =>
        `Gates of ${plain(name)}, tanh: ${own.map((gate) => `${gate.name} ${signed(gate.value)}`).join(', ')}.`,
    ),
  ];
}

function costPart({ costs }: Report): string[] {
  if (costs.length === 0) return [];
  const range = ({ median, least, most }: { median: number; least: number; most: number }) =>
    `${duration(median)} (${duration(least)}–${duration(most)})`;
  return [
    '## Cost of an answer',
    'Operations come from the graph; times are measured: median, least and most.',
    tableOf(
      ['candidate', 'events', 'prompt tokens', 'answer tokens', 'operations', 'first token', 'whole answer'],
      costs.map((cost) => [
        cost.candidate,
        eventsOf(cost),
        grouped(cost.promptTokens),
        grouped(cost.answerTokens),
        operations(totalFlops(cost.flops)),
        range(cost.firstToken),
        range(cost.answer),
      ]),
    ),
  ];
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(plain).join(' | ')} |`;
  const numbers = (column: number) => rows.every((row) => /^(?:[−+]?[\d]|<\d|$)/u.test(row[column]!));
  const side = (column: number) => (column > 0 && numbers(column) ? '---:' : '---');
  return [line(head), `| ${head.map((_, column) => side(column)).join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** Text that Markdown takes as it stands, on one line. */
function plain(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .replace(/[\\|`*_[\]<>]/gu, (character) =>
      character === '<' ? '&lt;' : character === '>' ? '&gt;' : `\\${character}`,
    );
}
