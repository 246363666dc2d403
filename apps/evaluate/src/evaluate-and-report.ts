import { resolve } from 'node:path';
import {
  evaluateCandidates,
  findProvenance,
  makeReport,
  writeReport,
  type Candidate,
  type ReportParts,
} from '@user-llm/evaluation';
import type { progressLine } from './progress.js';
import { measuredTable, resultTable } from './result-table.js';
import type { OpenedTest, TestFlags } from './test-options.js';

/** A test, who is judged on it, and where to tell of it. */
export interface Evaluating extends OpenedTest {
  readonly title: string;
  readonly candidates: readonly Candidate[];
  /** The command, word by word, for the report. */
  readonly command: readonly string[];
  readonly flags: Pick<TestFlags, 'out' | 'seed' | 'resamples'>;
  readonly signal: AbortSignal;
  readonly progress: ReturnType<typeof progressLine>;
  /** Hash of the model, where there is one. */
  readonly model?: string;
  readonly trainedOn?: ReportParts['trainedOn'];
  /** What is measured beside the answers, after them. */
  measure?(): Promise<Pick<ReportParts, 'controls' | 'costs' | 'curves'>>;
}

/** Judges, prints the table, and writes the report where one is wanted. */
export async function evaluateAndReport(of: Evaluating): Promise<void> {
  const { data, questions, title, candidates, command, flags, signal, progress, model, trainedOn = {} } = of;
  const bootstrap = { resamples: flags.resamples, seed: flags.seed };
  const evaluation = await evaluateCandidates(data, questions, candidates, {
    bootstrap,
    signal,
    onProgress: progress.show,
  });
  const provenance = await findProvenance(command, { folder: process.cwd(), ...(model !== undefined && { model }) });
  const parts = { title, provenance, data, questions, evaluation, bootstrap, trainedOn };
  progress.end();
  process.stdout.write(resultTable(makeReport(parts).report));
  const made = makeReport({ ...parts, ...(await of.measure?.()) });
  progress.end();
  process.stdout.write(measuredTable(made.report));
  if (flags.out === undefined) return;
  await writeReport(flags.out, made);
  process.stdout.write(`\nReport: ${resolve(flags.out, 'report.html')}\n`);
}
