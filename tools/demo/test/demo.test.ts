import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserLlm } from '@user-llm/user-llm';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { main } from '../src/cli.js';
import { runDemo } from '../src/demo.js';
import { demoOptions } from '../src/options.js';
import { ProgressLine } from '../src/progress-line.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'user-llm demo '));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('goes from raw files to a model that answers, a table and a report', async () => {
  const said: string[] = [];
  const out = join(folder, 'run');
  const options = demoOptions(['--out', out, '--effort', '0.001', '--users', '2', '--seed', '3']);
  const session = {
    signal: new AbortController().signal,
    say: (line: string) => void said.push(line),
    progress: new ProgressLine({ write: () => true, isTTY: false }),
    command: ['npm', 'run', 'demo'],
  };
  await runDemo(options, session);
  const text = said.join('\n');
  expect(text).toContain('67,020 ratings of 1,286 films by 566 users');
  for (const candidate of ['markov', 'encoder alone', 'User-LLM, cross-attention', 'text prompt, last 50 events']) {
    expect(text).toMatch(new RegExp(`^ {2}${candidate} +(\\.\\d{3}|1\\.000) `, 'm'));
  }
  expect(text).toMatch(/another user +no user/);
  expect(text.match(/\(true: .+\)/g)).toHaveLength(3);
  const report = JSON.parse(readFileSync(join(out, 'report', 'report.json'), 'utf8')) as { costs: unknown[] };
  expect(report.costs.length).toBeGreaterThan(5);
  const model = await UserLlm.load(join(out, 'model'));
  expect(model.catalogue).toHaveLength(1286);
  await model.dispose();
}, 300_000);

it.each([
  [['--seed', 'x'], 2],
  [['--effort', '0'], 2],
  [['--no-such-flag'], 2],
  [['--help'], 0],
])('%j ends with status %d', async (args, status) => {
  expect(await main(args)).toBe(status);
});

it('says what is wrong with a folder without ratings, and leaves nothing behind', async () => {
  const said = await spoken(() => main(['--data', folder, '--out', join(folder, 'none')]));
  expect(said).toEqual({ status: 1, text: expect.stringContaining('ratings.csv or ratings.dat') as string });
  expect(existsSync(join(folder, 'none', 'data', 'manifest.json'))).toBe(false);
});

it('wants ratings and movies', async () => {
  const data = join(folder, 'ratings alone');
  mkdirSync(data);
  const rows = Array.from({ length: 900 }, (_, at) => `${at % 30}::${Math.floor(at / 30)}::4::${978_000_000 + at}`);
  writeFileSync(join(data, 'ratings.dat'), `${rows.join('\n')}\n`);
  const said = await spoken(() => main(['--data', data, '--out', join(folder, 'alone')]));
  expect(said).toEqual({ status: 1, text: expect.stringContaining('movies.csv or movies.dat') as string });
});

it('says what is wrong with a checkpoint', async () => {
  const said = await spoken(() => main(['--llm', join(folder, 'none.bin'), '--out', join(folder, 'llm')]));
  expect(said).toEqual({ status: 1, text: expect.stringContaining('none.bin') as string });
});

it('keeps to the data, the seed and the effort that a folder was made with', async () => {
  const out = join(folder, 'run');
  const data = join(folder, 'ratings alone');
  expect(await spoken(() => main(['--out', out, '--data', data]))).toEqual({
    status: 1,
    text: expect.stringContaining('got data of another ratings.csv.gz') as string,
  });
  expect(await spoken(() => main(['--out', out, '--effort', '0.001', '--seed', '4']))).toEqual({
    status: 1,
    text: expect.stringContaining('Give the flags of the first call') as string,
  });
});

/** What a call ends with, and says on standard error. */
async function spoken(call: () => Promise<number>): Promise<{ readonly status: number; readonly text: string }> {
  const written = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  try {
    const status = await call();
    return { status, text: written.mock.calls.map(([text]) => String(text)).join('') };
  } finally {
    written.mockRestore();
  }
}
