import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromTable, prepareDataset } from '@user-llm/datasets';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../src/index.js';

let folder = '';
const data = () => join(folder, 'data');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'user-llm-evaluate-'));
  // 40 users who walk around a circle of 12 items: what comes next is certain, popularity knows nothing.
  const rows = Array.from({ length: 40 }, (_, user) =>
    Array.from({ length: 6 }, (__, step) => `u${user},i${(user + step) % 12},${step + 1}`),
  );
  await writeFile(join(folder, 'events.csv'), ['user,item,time', ...rows.flat(), ''].join('\n'));
  const items = Array.from(
    { length: 12 },
    (_, item) => `i${item},Title ${item},${item % 2 === 0 ? 'Drama' : 'Comedy'}`,
  );
  await writeFile(join(folder, 'items.csv'), ['item,title,genres', ...items, ''].join('\n'));
  const source = fromTable({
    columns: { user: 'user', item: 'item', time: 'time' },
    items: {
      input: join(folder, 'items.csv'),
      columns: { item: 'item', title: 'title', categories: 'genres' },
    },
  });
  await prepareDataset({ source, input: join(folder, 'events.csv'), output: data() });
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** Runs the command; what it printed, and its exit code. */
async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => (out.push(String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => (err.push(String(text)), true));
  const code = await main(args);
  vi.restoreAllMocks();
  return { code, out: out.join(''), err: err.join('') };
}

describe('user-llm-evaluate baselines', () => {
  it('prints a table with intervals, and writes a report', async () => {
    const report = join(folder, 'report');
    const { code, out } = await run('baselines', '--data', data(), '--out', report, '--resamples', '50');
    expect(code).toBe(0);
    expect(out).toContain('40 of 40 users asked by leave-last-out, 12 items ranked');
    expect(out).toMatch(/markov +1\.000 1\.000-1\.000/u);
    expect(out).toMatch(/favourite-genre\n +accuracy\n +most common category +\.\d/u);
    expect((await readdir(report)).sort()).toEqual(['predictions', 'report.html', 'report.json', 'report.md']);
    const json = JSON.parse(await readFile(join(report, 'report.json'), 'utf8')) as {
      provenance: { command: string[] };
    };
    expect(json.provenance.command.slice(0, 2)).toEqual(['user-llm-evaluate', 'baselines']);
  });

  it('asks a sample, the same for the same seed', async () => {
    const table = async (seed: string) =>
      (await run('baselines', '--data', data(), '--users', '9', '--seed', seed, '--tasks', 'next-item')).out;
    expect(await table('3')).toBe(await table('3'));
    expect(await table('3')).toContain('9 of 40 users asked');
  });

  it.each(['time', 'held-out-users'])('splits by %s', async (split) => {
    const { code, out } = await run('baselines', '--data', data(), '--split', split, '--test-share', '0.3');
    expect(code).toBe(0);
    expect(out).toContain(`asked by ${split}`);
  });
});

describe('wrong use', () => {
  it('teaches with --help', async () => {
    for (const args of [['--help'], ['baselines', '--help']]) {
      const { code, out } = await run(...args);
      expect(code).toBe(0);
      expect(out).toContain('Examples:');
    }
  });

  it.each([
    [['baselines'], 2, '--data'],
    [['baselines', '--data', 'x', '--users', '0'], 2, 'whole number from 1'],
    [['baselines', '--data', 'x', '--split', 'random'], 2, 'leave-last-out'],
    [['judge'], 2, 'judge'],
  ] as const)('%j exits with %i', async (args, code, told) => {
    const found = await run(...args);
    expect(found.code).toBe(code);
    expect(found.err).toContain(told);
  });

  it('says what to do about data, tasks and folders', async () => {
    const missing = await run('baselines', '--data', join(folder, 'nowhere'));
    expect(missing.code).toBe(1);
    expect(missing.err).toContain('user-llm-train data prepare');
    const task = await run('baselines', '--data', data(), '--tasks', 'next-itme');
    expect(task.code).toBe(1);
    expect(task.err).toContain('next-item');
    const taken = await run('baselines', '--data', data(), '--out', folder);
    expect(taken.code).toBe(1);
    expect(taken.err).toContain('Choose another folder');
  });
});
