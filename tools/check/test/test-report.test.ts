import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { countReport, countReports, summaryLine, type TestReport } from '../src/test-report.js';

function report(success: boolean, ...files: [status: string, ...tests: string[]][]): TestReport {
  return {
    success,
    testResults: files.map(([status, ...tests], at) => ({
      name: `file-${at}`,
      status,
      assertionResults: tests.map((test) => ({ status: test })),
    })),
  };
}

it('counts tests by how they ended', () => {
  const counts = countReport(report(false, ['failed', 'passed', 'failed', 'pending'], ['passed', 'passed', 'skipped']));
  expect(summaryLine(counts)).toBe('2 passed, 1 failed, 2 skipped');
});

it('counts a file that could not be loaded, or whose set-up failed, as one failed', () => {
  expect(countReport(report(false, ['failed']))).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(countReport(report(false, ['failed', 'passed']))).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

it('counts a run that failed outside every test as one failed', () => {
  expect(countReport(report(false, ['passed', 'passed']))).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

it('adds the reports of a folder, and refuses a folder without any', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'user-llm-reports-'));
  try {
    await expect(countReports(folder)).rejects.toThrow('no test has run');
    await writeFile(join(folder, 'a.json'), JSON.stringify(report(true, ['passed', 'passed', 'pending'])));
    await writeFile(join(folder, 'b.json'), JSON.stringify(report(false, ['failed', 'failed'])));
    expect(await countReports(folder)).toEqual({ passed: 1, failed: 1, skipped: 1 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
