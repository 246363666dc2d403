import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** How many tests ended how. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of the report of vitest's JSON reporter that is read here. */
export interface TestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * Counts one report. A test file that could not even be loaded has no tests and counts as one failed; so does a run
 * that failed for a reason outside any test.
 */
export function countReport(report: TestReport): TestCounts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of report.testResults) {
    for (const { status } of file.assertionResults) {
      if (status === 'passed') counts.passed += 1;
      else if (status === 'failed') counts.failed += 1;
      else counts.skipped += 1;
    }
    if (file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'))
      counts.failed += 1;
  }
  if (!report.success && counts.failed === 0) counts.failed = 1;
  return counts;
}

/**
 * The counts of all reports (`*.json`) in a folder together.
 *
 * @throws Error when the folder holds no report, because then no test has run.
 */
export async function countReports(folder: string): Promise<TestCounts> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  if (files.length === 0) throw new Error(`There is no test report in ${folder}: no test has run.`);
  const counts = await Promise.all(
    files.map(async (name) => countReport(JSON.parse(await readFile(join(folder, name), 'utf8')) as TestReport)),
  );
  return counts.reduce((sum, next) => ({
    passed: sum.passed + next.passed,
    failed: sum.failed + next.failed,
    skipped: sum.skipped + next.skipped,
  }));
}

/** The one plain line that a run of all checks ends with. */
export function summaryLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
