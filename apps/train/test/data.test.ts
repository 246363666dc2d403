import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'user-llm-data-'));
let said = '';

beforeEach(() => {
  said = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => Boolean((said += String(text))));
  }
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const world = ['--source', 'simulate', '--users', '60', '--items', '80', '--events', '1500', '--seed', '2'];

describe('data prepare', () => {
  it('makes a world, tells its steps, and sums up', async () => {
    expect(await main(['data', 'prepare', ...world, '--out', join(folder, 'world')])).toBe(0);
    expect(said).toMatch(
      /^check files\nread events\nsort events\nread items\nfilter\nwrite events\nwrite items\nfinish\n/,
    );
    expect(said).toContain('1,500 events of 60 users with 80 items\nfrom 2018-');
    expect(said).toContain('1,500 rows read; bad: none; duplicates dropped: 0');
  });

  it('reads a source of a plugin', async () => {
    const module = join(folder, 'plugin.mjs');
    writeFileSync(
      module,
      `export default { name: 'a-shop', specVersion: 1, datasets: [{ name: 'a-shop', description: 'Receipts', locate: async (input) => ({
        events: { files: await input.files(), format: { kind: 'csv' }, columns: {
          user: { kind: 'text', from: 'card' }, item: { kind: 'text', from: 'sku' }, time: { kind: 'time', from: 'day', unit: 'iso' } } } }) }] };`,
    );
    writeFileSync(join(folder, 'receipts.csv'), 'card,sku,day\n1,a,2024-05-01\n2,b,2024-05-02\n');
    const args = ['--plugin', module, '--source', 'a-shop', '--input', join(folder, 'receipts.csv')];
    expect(await main(['data', 'prepare', ...args, '--out', join(folder, 'shop')])).toBe(0);
    expect(said).toContain(
      '2 events of 2 users with 2 items\nfrom 2024-05-01T00:00:00.000Z to 2024-05-02T00:00:00.000Z',
    );
  });

  it('reads a table whose name does not say how it is written', async () => {
    writeFileSync(join(folder, 'export'), '{"card":1,"sku":"a","day":"2024-05-01"}\n');
    const args = ['--source', 'table', '--input', join(folder, 'export'), '--columns', 'user=card,item=sku,time=day'];
    expect(await main(['data', 'prepare', ...args, '--out', join(folder, 'none')])).toBe(1);
    expect(said).toContain('--format csv');
    const told = [...args, '--format', 'jsonl', '--time-unit', 'iso', '--out', join(folder, 'table')];
    expect(await main(['data', 'prepare', ...told])).toBe(0);
    expect(said).toContain('1 events of 1 users with 1 items');
  });

  it.each([
    [['--source', 'netflix', '--input', '.'], 'one of movielens, amazon, google-local, simulate'],
    [['--source', 'movielens'], 'Name one (--input)'],
    [['--source', 'table', '--input', '.', '--columns', 'user'], 'name=RAW'],
    [['--source', 'simulate', '--users', 'many'], 'users'],
    [
      ['--source', 'movielens', '--input', '.', '--separator', ';'],
      'none of the flags of other sources, got --separator',
    ],
    [['--source', 'table', '--input', '.', '--users', '5'], 'got --users'],
  ])('%j is an error that says why', async (args, expected) => {
    expect(await main(['data', 'prepare', ...args, '--out', join(folder, 'none')])).toBe(1);
    expect(said).toContain(expected);
  });
});

describe('data describe', () => {
  it('prints the card, and writes a page that needs nothing else', async () => {
    await main(['data', 'prepare', ...world, '--out', join(folder, 'world')]);
    said = '';
    const page = join(folder, 'card.html');
    expect(await main(['data', 'describe', join(folder, 'world'), '--html', page])).toBe(0);
    expect(said).toMatch(/^simulate\n {2}1,500 events of 60 users/);
    expect(said).toMatch(/Events per user: \d+ to \d+, median/);
    expect(said).toMatch(/\n {2}5 +[\d,]+ {2}█+\n/);
    expect(said).toContain(`page written to ${page}`);
    const html = readFileSync(page, 'utf8');
    expect(html.match(/<svg /g)).toHaveLength(5);
    expect(html).not.toMatch(/<script|<link|src=|url\(|@import/);
    for (const address of html.matchAll(/https?:\/\/[^\s"<]+/g)) expect(address[0]).toMatch(/^http:\/\/www\.w3\.org\//);
  }, 60_000);

  it('of a folder that is no data set is an error', async () => {
    expect(await main(['data', 'describe', folder])).toBe(1);
    expect(said).toContain('a prepared data set');
  });
});

describe('data download', () => {
  it('fetches what prepare reads', async () => {
    const review = {
      user_id: 'u',
      parent_asin: 'a',
      timestamp: 1_600_000_000_000,
      rating: 4,
      title: 'Good',
      text: 'Soft',
    };
    const files: Readonly<Record<string, object>> = {
      '/All_Beauty.jsonl.gz': review,
      '/meta_All_Beauty.jsonl.gz': { parent_asin: 'a', title: 'Soap', categories: [] },
    };
    const server = createServer((request, response) => response.end(gzipSync(JSON.stringify(files[request.url!]))));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const raw = join(folder, 'beauty');
      expect(await main(['data', 'download', 'amazon-2023/All_Beauty', '--out', raw, '--mirror', mirror])).toBe(0);
      expect(said).toContain('All_Beauty.jsonl.gz: 0.0 MB, no checksum to be had');
      const prepare = ['data', 'prepare', '--source', 'amazon', '--input', raw, '--out', join(folder, 'beauty-data')];
      expect(await main(prepare)).toBe(0);
      expect(said).toContain('1 events of 1 users with 1 items');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('lists the names there are', async () => {
    expect(await main(['data', 'download', 'ml-2m', '--out', folder])).toBe(1);
    expect(said).toContain('ml-25m');
  });
});
