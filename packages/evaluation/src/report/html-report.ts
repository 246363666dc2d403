import { totalFlops } from '../cost/answer-cost.js';
import type { TaskResult } from '../judge/evaluate-candidates.js';
import { controlsSection } from './controls-section.js';
import { html, type Html } from './html.js';
import { costPlots, curvePlots } from './line-plots.js';
import { htmlPage } from './page.js';
import { qualityPlot } from './quality-plot.js';
import type { Report } from './report.js';
import { tellingMetric } from './floor-warnings.js';
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
} from './words.js';

/** A report as one HTML page that needs nothing else: no script, no font, no picture from elsewhere. */
export async function htmlReport(report: Report): Promise<string> {
  const tasks = [...new Set(report.results.map(({ task }) => task))];
  const quality = await Promise.all(
    tasks.map(async (task) => taskSection(report, task, await qualityPlot(report, task))),
  );
  const [costs, curves] = await Promise.all([costPlots(report.costs), curvePlots(report.curves)]);
  const { name, users, items, events } = report.data;
  const sections = [
    warningsBox(report.warnings),
    ...quality,
    report.controls.length > 0 ? controlsSection(report.controls) : undefined,
    costs.length > 0 ? costSection(report, costs) : undefined,
    curves.length > 0 ? trainingSection(curves) : undefined,
    candidatesSection(report),
    provenanceSection(report),
  ];
  return htmlPage({
    title: report.title,
    lead: `${name} · ${grouped(users)} users · ${grouped(items)} items · ${grouped(events)} events`,
    sections: sections.filter((section) => section !== undefined),
  });
}

const trainingSection = (curves: readonly Html[]): Html =>
  html`<section>
    <h2>Training</h2>
    <div class="plots">${curves.map(framed)}</div>
  </section>`;

function warningsBox(warnings: readonly string[]): Html | undefined {
  if (warnings.length === 0) return undefined;
  return html`<div class="warning">
    <b>Below the floors</b>
    <ul>
      ${warnings.map((warning) => html`<li>${warning}</li>`)}
    </ul>
  </div>`;
}

const framed = (content: Html): Html => html`<figure>${content}</figure>`;

function taskSection(report: Report, task: string, chart: Html): Html {
  const results = report.results.filter((result) => result.task === task);
  const metrics = results[0]?.metrics.map(({ metric }) => metric) ?? [];
  const best = new Map(metrics.map((metric) => [metric, bestOf(results, metric)]));
  const published = report.published.filter((each) => each.task === task);
  const cell = (result: TaskResult, name: string) => {
    const found = result.metrics.find(({ metric }) => metric === name);
    if (found === undefined) return html`<td></td>`;
    const { value, low, high } = found;
    const strong = value === best.get(name) ? 'best' : '';
    const interval =
      low === undefined || high === undefined ? undefined : html`<small>${figure(low)}–${figure(high)}</small>`;
    return html`<td class="${strong}">${figure(value)}${interval}</td>`;
  };
  return html`<section>
    <h2>${taskTitle(task)}</h2>
    <figure>${chart}</figure>
    <p class="key">
      <b>● model</b> · <i>● baseline</i>${published.length > 0 ? html` · <u>◇ published</u>` : undefined} · lines:
      intervals
    </p>
    <table>
      <thead>
        <tr>
          <th>candidate</th>
          ${metrics.map((metric) => html`<th class="number">${metricTitle(metric)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${results.map(
          (result) =>
            html`<tr>
              <th>${result.candidate}</th>
              ${metrics.map((metric) => cell(result, metric))}
            </tr>`,
        )}
        ${published.map(
          (each) =>
            html`<tr class="published">
              <th>
                ${each.method}
                <small>published: ${each.source}${each.remark === undefined ? '' : `; ${each.remark}`}</small>
              </th>
              ${metrics.map((metric) => {
                const value = each.values[metric];
                return html`<td>${value === undefined ? '' : figure(value)}</td>`;
              })}
            </tr>`,
        )}
      </tbody>
    </table>
    ${differencesTable(report, task)}
  </section>`;
}

function bestOf(results: readonly TaskResult[], name: string): number {
  const found = results.flatMap(({ metrics }) => metrics.filter(({ metric }) => metric === name));
  const values = found.map(({ value }) => value);
  return found[0]?.higherIsBetter === false ? Math.min(...values) : Math.max(...values);
}

function differencesTable(report: Report, task: string): Html | undefined {
  const result = report.results.find((each) => each.task === task);
  const metric = result && tellingMetric(result)?.metric;
  const rows = report.differences.filter((each) => each.task === task && each.metric === metric);
  if (metric === undefined || rows.length === 0) return undefined;
  return html`<details>
    <summary>Paired differences of ${metricTitle(metric)}</summary>
    <table>
      <thead>
        <tr>
          <th>candidate</th>
          <th>against</th>
          <th class="number">difference</th>
          <th class="number">not above, p</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              <th>${row.candidate}</th>
              <th>${row.other}</th>
              <td>${signed(row.value)}<small>${signed(row.low)} to ${signed(row.high)}</small></td>
              <td>${probability(row.notAbove, report)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}

function costSection(report: Report, plots: readonly Html[]): Html {
  return html`<section>
    <h2>Cost of an answer</h2>
    <p class="note">
      Operations come from the graph; times are measured on the machine below, median with least and most of the
      repeats.
    </p>
    <div class="plots">${plots.map(framed)}</div>
    <table>
      <thead>
        <tr>
          <th>candidate</th>
          <th class="number">events</th>
          <th class="number">prompt tokens</th>
          <th class="number">answer tokens</th>
          <th class="number">operations</th>
          <th class="number">first token</th>
          <th class="number">whole answer</th>
        </tr>
      </thead>
      <tbody>
        ${report.costs.map(
          (cost) =>
            html`<tr>
              <th>${cost.candidate}</th>
              <td>${eventsOf(cost)}</td>
              <td>${grouped(cost.promptTokens)}</td>
              <td>${grouped(cost.answerTokens)}</td>
              <td>${operations(totalFlops(cost.flops))}</td>
              <td>
                ${duration(cost.firstToken.median)}<small
                  >${duration(cost.firstToken.least)}–${duration(cost.firstToken.most)}</small
                >
              </td>
              <td>
                ${duration(cost.answer.median)}<small
                  >${duration(cost.answer.least)}–${duration(cost.answer.most)}</small
                >
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

function candidatesSection({ candidates }: Report): Html {
  return html`<section>
    <h2>Candidates</h2>
    <dl>
      ${candidates.map(
        ({ name, description }) =>
          html`<dt>${name}</dt>
            <dd>${description}</dd>`,
      )}
    </dl>
  </section>`;
}

function provenanceSection(report: Report): Html {
  const { machine, command, gitCommit, gitChanged, model, madeAt } = report.provenance;
  const rows: (readonly [string, string])[] = [
    ['protocol', protocolInWords(report)],
    ['wordings', report.protocol.templates.join(', ')],
    ['seeds', `users ${report.protocol.seed}, bootstrap ${report.protocol.bootstrap.seed}`],
    ['command', commandLine(command)],
    ['data', `SHA-256 ${report.data.hash}`],
    ...(model === undefined ? [] : [['model', model] as const]),
    ...(gitCommit === undefined ? [] : [['git commit', `${gitCommit}${gitChanged ? ', with changes' : ''}`] as const]),
    [
      'machine',
      `${machine.processor}, ${machine.cores} cores, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB; ${machine.platform}; Node.js ${machine.node}`,
    ],
    ['made at', madeAt],
  ];
  return html`<section>
    <h2>How these figures were made</h2>
    <dl>
      ${rows.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
  </section>`;
}
