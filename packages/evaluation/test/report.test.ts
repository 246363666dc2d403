import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nextItemTask } from '@user-llm/tasks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  evaluateCandidates,
  findProvenance,
  htmlReport,
  leaveLastOut,
  makeReport,
  markdownReport,
  markovCandidate,
  planQuestions,
  popularityCandidate,
  publishedFor,
  trainingHistories,
  writeReport,
  type CostMeasurement,
  type Report,
  type ReportWithPredictions,
} from '../src/index.js';
import { letters } from './support.js';

const nasty = '<script>alert("1")</script> | & \'x\'';
const data = letters({ u: 'abcde', v: 'bcdea', w: 'cdeab' });
const range = { median: 2, least: 1, most: 3, repeats: 3 };
const interval = { value: 1, low: 0.9, high: 1.1 };

async function example(title = 'A report'): Promise<ReportWithPredictions> {
  const task = { ...nextItemTask(), metrics: ['recall@1', 'recall@5'] };
  const questions = planQuestions(data, { split: leaveLastOut, tasks: [task] });
  const training = trainingHistories(data, leaveLastOut);
  const popularity = popularityCandidate(data, training);
  const evaluation = await evaluateCandidates(data, questions, [
    popularity,
    markovCandidate(data, training),
    {
      name: nasty,
      description: `says ${nasty}`,
      kind: 'model',
      rank: (asked) => Promise.resolve(asked.map(() => ({ kind: 'list' as const, items: [] }))),
    },
  ]);
  const cost = (historyEvents: number): CostMeasurement => ({
    candidate: nasty,
    historyEvents,
    eventsRead: 10,
    flops: { encoder: 1000, prefill: 2000 },
    promptTokens: 1234,
    answerTokens: 5,
    firstToken: range,
    answer: range,
  });
  return makeReport({
    title,
    provenance: await findProvenance(['user-llm-evaluate', nasty], { folder: tmpdir(), madeAt: new Date(0) }),
    data,
    questions,
    evaluation,
    controls: [
      {
        candidate: nasty,
        task: 'next-item',
        questions: 3,
        conditions: [
          { condition: 'own user', loss: interval },
          { condition: 'another user', loss: interval, above: { value: 0.5, low: -0.1, high: 0.9 } },
        ],
        gates: [{ name: 'layer 0', value: 0.25 }],
      },
    ],
    costs: [cost(10), cost(50)],
    curves: [
      {
        stage: 'pretrain',
        figure: 'loss',
        series: 'training',
        points: [0, 1, 2].map((step) => ({ step, value: 3 - step })),
      },
    ],
  });
}

/** Headings and tables of a page, as a person sees its outline. */
function outline(html: string): string[] {
  const parts = html.matchAll(/<h([12])>([^<]*)<\/h[12]>|<(svg|table|details)[ >]/gu);
  return [...parts].map(([, level, heading, element]) => (heading === undefined ? element! : `h${level!} ${heading}`));
}

describe('the HTML report', () => {
  it('has its parts in order', async () => {
    expect(outline(await htmlReport((await example()).report))).toMatchInlineSnapshot(`
      [
        "h1 A report",
        "h2 Next item",
        "svg",
        "table",
        "details",
        "table",
        "h2 Is the user used?",
        "table",
        "h2 Cost of an answer",
        "svg",
        "svg",
        "svg",
        "table",
        "h2 Training",
        "svg",
        "h2 Candidates",
        "h2 How these figures were made",
      ]
    `);
  });

  it('needs nothing else, and lets nothing in', async () => {
    const html = await htmlReport((await example(nasty)).report);
    expect(html).not.toMatch(/<script|<link|<img|<iframe|src=|@import|url\(/u);
    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; | &amp; &#39;x&#39;');
    expect(html).toContain("default-src 'none'");
    expect(html).toMatch(/^<!doctype html>/u);
  });

  it('leaves out what was not measured', async () => {
    const { report } = await example();
    const bare: Report = { ...report, controls: [], costs: [], curves: [] };
    expect(outline(await htmlReport(bare)).filter((part) => part.startsWith('h2'))).toEqual([
      'h2 Next item',
      'h2 Candidates',
      'h2 How these figures were made',
    ]);
  });
});

describe('the Markdown report', () => {
  it('has figures with intervals, and escapes what is not its own', async () => {
    const { report } = await example();
    const markdown = markdownReport(report);
    expect(markdown).toContain('| candidate | Recall@1 | Recall@5 |\n| --- | ---: | ---: |\n| popularity | ');
    const model = report.results.find(({ candidate }) => candidate === nasty)!;
    expect(model.metrics[0]).toMatchObject({ value: 0, low: 0, high: 0 });
    expect(markdown).toContain(
      '| &lt;script&gt;alert("1")&lt;/script&gt; \\| & \'x\' | 0.000 (0.000–0.000) | 0.000 (0.000–0.000) |',
    );
    expect(markdown).toContain('+0.500 (−0.100 to +0.900)');
    expect(markdown).toContain('| 10 | 1,234 | 5 | 3.00 kFLOP | 2.0 ms (1.0 ms–3.0 ms) | 2.0 ms (1.0 ms–3.0 ms) |');
    expect(markdown.replace(/`[^`]*`/gu, '')).not.toContain('<script');
  });
});

describe('what a report says', () => {
  it('warns of models below the floors', async () => {
    const { report } = await example();
    expect(report.warnings).toHaveLength(1);
    expect(report.warnings[0]).toMatch(
      /is below popularity on next-item \(recall@1 0\.000 against .*\): a failed run\.$/u,
    );
  });

  it('shows published results only beside the same data and split', () => {
    const size = { users: 6040, items: 3416, events: 999_611 };
    expect(publishedFor(size, 'leave-last-out').map(({ method }) => method)).toContain('gSASRec');
    expect(publishedFor(size, 'time')).toEqual([]);
    expect(publishedFor({ ...size, events: 999_610 }, 'leave-last-out')).toEqual([]);
  });
});

describe('writeReport', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'user-llm-report-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('writes every file, and replaces an older report whole', async () => {
    const out = join(folder, 'report');
    await writeReport(out, await example('older'));
    await writeFile(join(out, 'left-over.txt'), '');
    const made = await example('newer');
    await writeReport(out, made);
    expect((await readdir(out)).sort()).toEqual(['predictions', 'report.html', 'report.json', 'report.md']);
    expect(await readdir(folder)).toEqual(['report']);
    const json = JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as Report & {
      predictions: Record<string, string>;
    };
    expect(json).toMatchObject({ format: 'user-llm-evaluation', title: 'newer', data: { hash: data.hash } });
    expect(Object.keys(json.predictions)).toEqual(['popularity', 'markov', nasty]);
    const lines = (await readFile(join(out, json.predictions[nasty]!), 'utf8')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { user: string }).user)).toEqual(['u', 'v', 'w']);
  });

  it('touches nothing that is not a report', async () => {
    const other = join(folder, 'other');
    await writeFile(other, 'a file');
    const report = await example();
    await expect(writeReport(other, report)).rejects.toMatchObject({ code: 'not-a-report' });
    await rm(other);
    const full = await mkdtemp(join(folder, 'full-'));
    await writeFile(join(full, 'thesis.tex'), '');
    await expect(writeReport(full, report)).rejects.toMatchObject({ code: 'not-a-report' });
    expect(await readdir(full)).toEqual(['thesis.tex']);
  });
});
