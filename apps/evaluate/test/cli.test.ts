import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromTable, prepareDataset } from '@user-llm/datasets';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Report } from '@user-llm/evaluation';
import { main } from '../src/index.js';
import { saveTinyModel } from './tiny-model.js';

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
    const json = JSON.parse(await readFile(join(report, 'report.json'), 'utf8')) as Report;
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

describe('user-llm-evaluate run', () => {
  const model = () => join(folder, 'run', 'model');
  beforeAll(async () => {
    await saveTinyModel(data(), model());
    await writeFile(join(folder, 'run', 'figures.jsonl'), '{"step":1,"tune/loss":3}\n{"step":2,"tune/loss":2}\n');
  }, 60_000);

  it('judges a model beside its baselines, with controls, costs and curves', async () => {
    const out = join(folder, 'model-report');
    const words = ['run', model(), '--data', data(), '--out', out, '--resamples', '20', '--costs', '1'];
    const { code, out: printed, err } = await run(...words, '--candidates', 'baselines,encoder,user-llm,text-2');
    expect([code, err]).toEqual([0, expect.not.stringContaining('expected')]);
    for (const row of [
      'popularity',
      'markov',
      'encoder alone',
      'User-LLM by cross-attention',
      'text prompt, last 2 events',
    ]) {
      expect(printed).toMatch(new RegExp(`^  ${row} +[.\\d]+ [.\\d]+-[.\\d]+`, 'mu'));
    }
    expect(printed).toMatch(/another user +\d?\.\d+ +[+-]?\.\d/u);
    const json = JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as Report;
    expect(json.curves).toEqual([
      {
        stage: 'tune',
        figure: 'loss',
        series: 'training',
        points: [
          { step: 1, value: 3 },
          { step: 2, value: 2 },
        ],
      },
    ]);
    expect(printed).toContain('Warning: the model was trained on other data than it is tested on');
    expect(json.controls.map(({ task }) => task)).toEqual(['next-item', 'favourite-genre', 'future-favourite-genre']);
    expect(json.provenance.model).toMatch(/^encoder [0-9a-f]{64}$/u);
  }, 60_000);

  it('asks only whom it is told to', async () => {
    const words = ['run', model(), '--data', data(), '--users', '5', '--controls', '0', '--costs', '0'];
    const { code, out } = await run(...words, '--candidates', 'encoder', '--tasks', 'next-item', '--resamples', '20');
    expect(code).toBe(0);
    expect(out).not.toContain('markov');
    expect(out).toMatch(/5 of 40 users asked[^]*encoder alone/u);
  });

  it('says what is wrong with candidates and models', async () => {
    const unknown = await run('run', model(), '--data', data(), '--candidates', 'encoder,gpt');
    expect(unknown.code).toBe(1);
    expect(unknown.err).toContain('"gpt"');
    const nowhere = await run('run', join(folder, 'nowhere'), '--data', data());
    expect(nowhere.code).toBe(1);
    const encoder = join(folder, 'encoder');
    await mkdir(encoder);
    await writeFile(join(encoder, 'model.json'), '{ "format": "user-llm-encoder", "version": 1 }');
    for (const words of [[encoder], [model(), '--text-model', encoder]]) {
      const alone = await run('run', ...words, '--data', data());
      expect(alone.code).toBe(1);
      expect(alone.err).toContain('a user encoder without an LLM');
      expect(alone.err).toContain('"parts": ["encoder"]');
    }
  });
});

describe('wrong use', () => {
  it('teaches with --help', async () => {
    for (const args of [['--help'], ['baselines', '--help'], ['run', '--help']]) {
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
