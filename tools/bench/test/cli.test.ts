import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { Catalogue } from '../src/catalogue.js';
import { main } from '../src/cli.js';
import { formatTable } from '../src/table.js';

const catalogue: Catalogue = {
  sums: () =>
    Promise.resolve({
      name: 'sums',
      description: 'adding',
      run: ({ threads }) =>
        Promise.resolve({
          rows: [
            { engine: 'here', 'median ms': 2 },
            { engine: 'there', 'median ms': 5.00004, GiB: threads },
          ],
          ratios: { 'there over here': 2.5 },
          versions: { here: '1.0' },
        }),
    }),
};

afterEach(() => {
  vi.restoreAllMocks();
});

it('prints a table and ratios, and writes them with the machine', async () => {
  const printed: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  const folder = await mkdtemp(join(tmpdir(), 'user-llm-bench-'));
  try {
    const file = join(folder, 'result.json');
    expect(await main(['sums', '--threads', '3', '--json', file], catalogue)).toBe(0);
    expect(printed.join('')).toContain('there over here: 2.50');
    const record = JSON.parse(await readFile(file, 'utf8')) as object;
    expect(record).toMatchObject({
      name: 'sums',
      threads: 3,
      ratios: { 'there over here': 2.5 },
      machine: { node: process.version },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('aligns names left and figures right, with four digits', () => {
  expect(
    formatTable([
      { engine: 'here', 'median ms': 2 },
      { engine: 'there', 'median ms': 1234.567, GiB: 3 },
    ]),
  ).toBe(['engine  median ms  GiB', 'here            2    -', 'there        1235    3'].join('\n'));
});

it.each([[['products']], [[]], [['sums', 'sums']], [['toString']], [['sums', '--threads', '0']]])(
  'refuses %j',
  async (args) => {
    await expect(main(args, catalogue)).rejects.toThrow(/Name one benchmark|--threads/);
  },
);
