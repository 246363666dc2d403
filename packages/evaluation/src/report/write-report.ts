import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserLlmError, writeFileAtomically } from '@user-llm/tensor';
import { predictionLines } from '../judge/predictions.js';
import { htmlReport } from './html-report.js';
import { markdownReport } from './markdown-report.js';
import type { ReportWithPredictions } from './report.js';

/** Names of a report's files. */
export const reportFiles = {
  html: 'report.html',
  markdown: 'report.md',
  json: 'report.json',
  predictions: 'predictions',
};

/**
 * Writes a report as a folder: HTML, Markdown, JSON, and each candidate's answers as JSON lines. The folder appears
 * whole or not at all; a report that stands there is replaced.
 *
 * @throws UserLlmError `not-a-report` when there is something else in the folder, `write-failed`.
 */
export async function writeReport(folder: string, { report, predictions }: ReportWithPredictions): Promise<void> {
  const target = resolve(folder);
  await refuseOthers(target);
  const pages = { html: await htmlReport(report), markdown: markdownReport(report) };
  const aside = join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`);
  try {
    await mkdir(join(aside, reportFiles.predictions), { recursive: true });
    await writeFileAtomically(join(aside, reportFiles.html), pages.html);
    await writeFileAtomically(join(aside, reportFiles.markdown), pages.markdown);
    const names = fileNames([...predictions.keys()]);
    for (const [candidate, own] of predictions) {
      const file = join(aside, reportFiles.predictions, `${names.get(candidate)!}.jsonl`);
      await writeFileAtomically(file, predictionLines(own));
    }
    const files = Object.fromEntries(
      [...names].map(([name, file]) => [name, `${reportFiles.predictions}/${file}.jsonl`]),
    );
    await writeFileAtomically(
      join(aside, reportFiles.json),
      `${JSON.stringify({ ...report, predictions: files }, undefined, 2)}\n`,
    );
    await replace(aside, target);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function refuseOthers(target: string): Promise<void> {
  const there = await readdir(target).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw notAReport(target, error.code === 'ENOTDIR' ? 'a file' : error.message);
  });
  if (there.length > 0 && !there.includes(reportFiles.json)) throw notAReport(target, `a folder with ${there[0]!}`);
}

function notAReport(target: string, got: string): UserLlmError {
  return new UserLlmError('not-a-report', {
    what: target,
    expected: 'a new folder, an empty one, or one with a report to replace',
    got,
    mend: 'Choose another folder.',
  });
}

/** Puts a folder in the place of another; killed in between, both are still there. */
async function replace(made: string, target: string): Promise<void> {
  const old = `${made}.old`;
  const had = await rename(target, old).then(
    () => true,
    () => false,
  );
  try {
    await rename(made, target);
  } catch (error) {
    if (had) await rename(old, target);
    throw error;
  }
  if (had) await rm(old, { recursive: true, force: true });
}

/** A file's name for each candidate: letters, digits and hyphens, different for all. */
function fileNames(candidates: readonly string[]): Map<string, string> {
  const taken = new Set<string>();
  return new Map(
    candidates.map((candidate) => {
      const base =
        candidate
          .toLowerCase()
          .replace(/[^a-z0-9]+/gu, '-')
          .replace(/^-|-$/gu, '') || 'candidate';
      let name = base;
      for (let number = 2; taken.has(name); number++) name = `${base}-${number}`;
      taken.add(name);
      return [candidate, name];
    }),
  );
}
