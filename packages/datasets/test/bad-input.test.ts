import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { BadRow, DatasetSource } from '@user-llm/plugin';
import { amazonReviews, fromTable, googleLocal, movielens, prepareDataset, type PrepareOptions } from '../src/index.js';
import { rawFiles, rowsOf } from './support.js';

const ratings = 'userId,movieId,rating,timestamp\n1,10,4.5,1000\n1,20,3.0,2000\n2,10,1.0,1500\n';
const movies = 'movieId,title,genres\n10,Heat (1995),Action|Crime\n20,"American President, The (1995)",Comedy\n';
const clicks = fromTable({ columns: { user: 'who', item: 'what', time: 'at' } });

const prepare = async (
  files: Readonly<Record<string, string | Uint8Array>>,
  source = movielens,
  options: Partial<PrepareOptions> = {},
) => {
  const paths = rawFiles(files);
  return { ...paths, manifest: await prepareDataset({ source, ...paths, threads: 1, ...options }) };
};
const titles = async (output: string) => (await rowsOf(output, 'items')).map(({ title }) => title);

describe('files of another shape', () => {
  it.each([
    ['a lost header line', { 'ratings.csv': '1,10,4.5,1000\n1,20,3.0,2000\n' }],
    ['other columns', { 'ratings.csv': 'user,movie,stars\n1,10,4.5\n' }],
    ['too few fields without a header', { 'ratings.dat': '1::10::4.5\n' }],
    ['metadata of something else', { 'ratings.csv': ratings, 'movies.csv': 'id,name\n10,Heat\n' }],
  ])('wrong header: %s', async (_, files) => {
    await expect(prepare(files)).rejects.toMatchObject({ code: 'bad-header' });
  });

  it.each([
    ['semicolons', ratings.replaceAll(',', ';'), '";"'],
    ['tabs', ratings.replaceAll(',', '\t'), 'a tab'],
    ['the separator of older sets', ratings.replaceAll(',', '::'), '"::"'],
  ])('wrong separator: %s', async (_, content, named) => {
    await expect(prepare({ 'ratings.csv': content })).rejects.toMatchObject({
      code: 'bad-separator',
      message: expect.stringContaining(named) as unknown,
    });
  });

  it('leaves nothing behind', async () => {
    const paths = rawFiles({ 'ratings.csv': 'user,movie\n1,10\n' });
    await expect(prepareDataset({ source: movielens, ...paths })).rejects.toMatchObject({ code: 'bad-header' });
    expect(readdirSync(dirname(paths.output))).toEqual(['raw']);
  });

  it.each([
    [movielens, 'movies.csv'],
    [amazonReviews, 'meta_Books.json.gz'],
    [googleLocal, 'meta-Hawaii.json.gz'],
  ])('a folder without the files of $name', async (source, other) => {
    await expect(prepare({ [other]: 'x' }, source)).rejects.toMatchObject({ code: 'files-not-found' });
  });
});

describe('text', () => {
  it('mixed encodings: lines that are not UTF-8 are read as Windows-1252, and counted', async () => {
    const latin = Buffer.from('20,Amélie à la plage,Comedy\n', 'latin1');
    const content = Buffer.concat([Buffer.from('movieId,title,genres\n10,Les Misérables,Drama\n'), latin]);
    const { manifest, output } = await prepare({ 'ratings.csv': ratings, 'movies.csv': content });
    expect(await titles(output)).toEqual(['Les Misérables', 'Amélie à la plage']);
    expect(manifest.inputs[1]).toMatchObject({ encoding: 'mixed', windows1252Lines: 1 });
  });

  it.each([
    ['UTF-8', (text: string) => Buffer.from(`\ufeff${text}`)],
    ['UTF-16, little end first', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16, big end first', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['UTF-8, compressed', (text: string) => gzipSync(`\ufeff${text}`)],
  ])('byte order mark: %s', async (encoding, encode) => {
    const ending = encoding.endsWith('compressed') ? '.gz' : '';
    const content = encode(`${movies}30,Crouching Tiger 臥虎藏龍,Action\n`);
    const { manifest, output } = await prepare({
      [`ratings.csv${ending}`]: encode(ratings),
      [`movies.csv${ending}`]: content,
    });
    expect(manifest.counts).toMatchObject({ events: 3, users: 2, items: 3, itemsWithoutMetadata: 0 });
    expect(await titles(output)).toContain('Crouching Tiger 臥虎藏龍');
  });

  it('quotes, commas and line breaks in titles', async () => {
    const content = `${movies}30,"Twelve ""Angry"" Men, or\nso",Drama\n40,'Til There Was You,Romance\n`;
    const { output } = await prepare({ 'ratings.csv': ratings.replaceAll('\n', '\r\n'), 'movies.csv': content });
    expect(await titles(output)).toEqual([
      'Heat (1995)',
      'American President, The (1995)',
      'Twelve "Angry" Men, or\nso',
      "'Til There Was You",
    ]);
  });

  it('kinds of line end that are mixed among quotes', async () => {
    const files = {
      'ratings.csv': ratings,
      'movies.csv': `${movies}30,"One, Two",Drama\r\n40,"Three, Four",Drama\r\n`,
    };
    await expect(prepare(files)).rejects.toMatchObject({ code: 'bad-lines' });
  });

  it('lines of JSON that are cut, no objects, or of Python', async () => {
    const line = (n: number) => `{"reviewerID": "u${n}", "asin": "a", "overall": 5.0, "unixReviewTime": 1000}\n`;
    const good = Array.from({ length: 300 }, (_, n) => line(n)).join('');
    const { manifest, output } = await prepare({ 'Books.json': `${good}[1]\n{"reviewerID": "u1", "as` }, amazonReviews);
    expect(manifest.rows.events).toEqual({ read: 302, bad: { 'unreadable-row': 2 }, duplicates: 0 });
    expect(readFileSync(join(output, 'bad-rows.jsonl'), 'utf8')).toContain('"row":301');

    const python = "{'asin': 'a', 'title': \"It's Tom's\", 'price': 2.5, 'categories': [['Books', 'Poetry']]}\n";
    const printed = await prepare({ 'Books.json': good, 'meta_Books.json': python }, amazonReviews);
    expect(await rowsOf(printed.output, 'items')).toMatchObject([
      { title: "It's Tom's", categories: ['Poetry'], price: 2.5 },
    ]);
  });
});

describe('damaged files', () => {
  const long = `who,what,at\n${Array.from({ length: 5000 }, (_, n) => `${n},${(n * 7919) % 997},${n}\n`).join('')}`;

  it('truncated gzip', async () => {
    const whole = gzipSync(long);
    const cut = whole.subarray(0, whole.length >> 1);
    await expect(prepare({ 'clicks.csv.gz': cut }, clicks)).rejects.toMatchObject({ code: 'truncated-gzip' });
    await expect(prepare({ 'clicks.csv.gz': long }, clicks)).rejects.toMatchObject({ code: 'bad-gzip' });
  });

  it.each([
    ['no bytes', { 'clicks.csv': '' }, 'empty-file'],
    ['no bytes, compressed', { 'clicks.csv.gz': gzipSync('') }, 'empty-file'],
    ['a header and no rows', { 'clicks.csv': 'who,what,at\n' }, 'no-events'],
    ['no file', {}, 'unknown-format'],
  ])('empty file: %s', async (_, files, code) => {
    await expect(prepare(files, clicks)).rejects.toMatchObject({ code });
  });

  it('rows with too few or many fields, and an open quote, are counted and listed', async () => {
    const { manifest, output } = await prepare({ 'clicks.csv': `${long}7,x\n8,x,1,2\n` }, clicks);
    expect(manifest.rows.events).toMatchObject({ read: 5002, bad: { 'unreadable-row': 2 } });
    const listed = readFileSync(join(output, 'bad-rows.jsonl'), 'utf8').trim().split('\n');
    expect(listed.map((line) => JSON.parse(line) as object)).toMatchObject([
      { file: 'clicks.csv', row: 5001, excerpt: '7,x' },
      { file: 'clicks.csv', row: 5002, excerpt: '8,x,1,2' },
    ]);
    const open = prepare({ 'clicks.csv': `who,what,at\n1,a,1\n2,"b,2\n3,c,3\n` }, clicks);
    await expect(open).rejects.toMatchObject({ code: 'too-many-bad-rows' });
  });

  it.skipIf(process.getuid?.() === 0)('no permission (skipped for root, who may read everything)', async () => {
    const paths = rawFiles({ 'ratings.csv': ratings });
    chmodSync(join(paths.input, 'ratings.csv'), 0);
    await expect(prepareDataset({ source: movielens, ...paths })).rejects.toMatchObject({ code: 'file-not-readable' });
  });
});

describe('events', () => {
  it('duplicate events are dropped and counted, or kept', async () => {
    const content = 'who,what,at\n1,a,5\n1,a,5\n2,a,5\n1,a,5\n1,a,6\n';
    const { manifest } = await prepare({ 'clicks.csv': content }, clicks);
    expect(manifest.counts.events).toBe(3);
    expect(manifest.rows.events).toEqual({ read: 5, bad: {}, duplicates: 2 });
    const kept = await prepareDataset({ source: clicks, ...rawFiles({ 'clicks.csv': content }), duplicates: 'keep' });
    expect(kept.counts.events).toBe(5);
  });

  it('duplicates are found among others of the same user and time, and of ids that are no numbers', async () => {
    const content = 'who,what,at\nx,b,5\nx,a,5\nx,b,5\n7,b,5\nx,a,6\n7,b,5\n07,b,5\nx,a,5\n';
    const { manifest, output } = await prepare({ 'clicks.csv': content }, clicks);
    expect(manifest.rows.events).toEqual({ read: 8, bad: {}, duplicates: 3 });
    const rows = (await rowsOf(output, 'events')).map(({ user, item, time }) => [user, item, Number(time)]);
    expect(rows).toEqual([
      ['7', 'b', 5000],
      ['x', 'b', 5000],
      ['x', 'a', 5000],
      ['x', 'a', 6000],
      ['07', 'b', 5000],
    ]);
  });

  it('columns may be called as the engine might call its own', async () => {
    const source = fromTable({
      columns: {
        user: 'who',
        item: 'what',
        time: 'at',
        position: 'a',
        reason: 'b',
        excerpt: 'c',
        place: 'd',
        nth: 'e',
      },
    });
    const content = 'who,what,at,a,b,c,d,e\n1,x,5,pa,pb,pc,pd,pe\n1,x,5,pa,pb,pc,pd,pe\n1,x,,q,q,q,q,q\n';
    const { manifest, output } = await prepare({ 'clicks.csv': content }, source, { maxBadRowShare: 1 });
    expect(manifest.rows.events).toEqual({ read: 3, bad: { 'time-missing': 1 }, duplicates: 1 });
    const [row] = await rowsOf(output, 'events');
    expect(row).toMatchObject({ position: 'pa', reason: 'pb', excerpt: 'pc', place: 'pd', nth: 'pe' });
  });

  it.each(['#user', '~reason', 'User', 'rowid', ''])('a column called %j is refused', async (name) => {
    const source = fromTable({ columns: { user: 'who', item: 'what', time: 'at', [name]: 'who' } });
    const prepared = prepare({ 'clicks.csv': 'who,what,at\n1,a,5\n' }, source);
    await expect(prepared).rejects.toMatchObject({ code: 'bad-columns' });
  });

  it('a header whose names differ by case alone is refused', async () => {
    await expect(prepare({ 'clicks.csv': 'who,what,at,WHO\n1,a,5,2\n' }, clicks)).rejects.toMatchObject({
      code: 'bad-header',
      message: expect.stringContaining('"WHO" is there twice') as unknown,
    });
  });

  it.each([
    { header: true, source: 'with' },
    { header: false, source: 'without' },
  ])('bad rows are listed with their rows in a file $source a header', async ({ header }) => {
    const good = Array.from({ length: 40 }, (_, n) => `9,g,${n}`);
    const lines = ['1,x', '1,,5', '1,a,5', '2,x,bad', '3,b,6,7,8', ',b,6', ...good];
    const source: DatasetSource = {
      ...clicks,
      locate: async (input) => {
        const { events } = await clicks.locate(input);
        const names = header ? {} : { names: ['who', 'what', 'at'] };
        return { events: { ...events, format: { kind: 'csv', separator: ',', ...names } } };
      },
    };
    const content = `${header ? 'who,what,at\n' : '0,z,1\n'}${lines.join('\n')}\n`;
    const { output } = await prepare({ 'clicks.csv': content }, source, { maxBadRowShare: 1 });
    const listed = readFileSync(join(output, 'bad-rows.jsonl'), 'utf8').trim().split('\n');
    const first = header ? 0 : 1;
    expect(
      listed
        .map((line) => JSON.parse(line) as BadRow)
        .map(({ row, reason, excerpt }) => [row - first, reason, excerpt]),
    ).toEqual([
      [1, 'unreadable-row', '1,x'],
      [2, 'item-missing', '1,,5'],
      [4, 'time-unreadable', '2,x,bad'],
      [5, 'unreadable-row', '3,b,6,7,8'],
      [6, 'user-missing', ',b,6'],
    ]);
  });

  it('equal times stand by file and row, however many threads work', async () => {
    const rows = (from: number) => Array.from({ length: 20_000 }, (_, n) => `${n % 3},i${from + n},77\n`).join('');
    const paths = rawFiles({ 'a.csv': `who,what,at\n${rows(20_000)}`, 'b.csv': `who,what,at\n${rows(0)}` });
    await prepareDataset({ source: clicks, ...paths, threads: 4 });
    const items = (await rowsOf(paths.output, 'events')).map(({ user, item }) => [user, Number(String(item).slice(1))]);
    const expected = [0, 1, 2].flatMap((user) =>
      [...Array(40_000).keys()]
        .filter((n) => (n % 20_000) % 3 === user)
        .map((n) => [String(user), n < 20_000 ? n + 20_000 : n - 20_000]),
    );
    expect(items).toEqual(expected);
  });

  it('the bytes are the same however many threads work, also where rows were dropped', async () => {
    const rows = Array.from({ length: 140_000 }, (_, n) => `${n % 5000},${(n * 7) % 11},${n}\n`);
    const content = `who,what,at\n${rows.join('')}${rows.slice(0, 20_000).join('')}7777,1,5\n`;
    const bytes = async (threads: number) => {
      const { output, manifest } = await prepare({ 'clicks.csv': content }, clicks, { threads, kCore: 2 });
      expect(manifest.counts.events).toBe(140_000);
      return ['events.parquet', 'items.parquet'].map((file) => readFileSync(join(output, file)));
    };
    expect(await bytes(1)).toEqual(await bytes(4));
  });

  it('items without metadata have a row of their own, and are counted', async () => {
    const content = `${ratings}2,99,5.0,3000\n`;
    const { manifest, output } = await prepare({ 'ratings.csv': content, 'movies.csv': movies });
    expect(manifest.counts).toMatchObject({ items: 3, itemsWithEvents: 3, itemsWithoutMetadata: 1 });
    expect((await rowsOf(output, 'items')).at(-1)).toEqual({
      item: '99',
      title: null,
      categories: [],
      description: null,
    });
    const without = await prepare({ 'ratings.csv': content });
    expect(without.manifest.counts).toMatchObject({ items: 3, itemsWithoutMetadata: 3 });
  });

  it('users with one event stay, unless a longer history is asked for', async () => {
    const { manifest } = await prepare({ 'ratings.csv': ratings });
    expect(manifest.counts.users).toBe(2);
    const paths = rawFiles({ 'ratings.csv': ratings });
    const longer = await prepareDataset({ source: movielens, ...paths, minHistory: 2 });
    expect(longer.counts).toMatchObject({ users: 1, events: 2 });
    await expect(prepareDataset({ source: movielens, ...paths, minHistory: 3 })).rejects.toMatchObject({
      code: 'no-events',
    });
  });

  it('64-bit ids keep every digit', async () => {
    const ids = ['9007199254740993', '18446744073709551615', '99999999999999999999999', '007', '-1'];
    const content = `who,what,at\n${ids.map((id, n) => `${id},${id},${n}\n`).join('')}`;
    const { output } = await prepare({ 'clicks.csv': content }, clicks);
    const shortestFirst = ids.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
    expect((await rowsOf(output, 'events')).map(({ user }) => user)).toEqual(shortestFirst);
    expect((await rowsOf(output, 'items')).map(({ item }) => item)).toEqual(shortestFirst);
  });

  it('negative and absurd times are bad rows; times of another unit are told by their year', async () => {
    const good = Array.from({ length: 400 }, (_, n) => `${n},a,1500000000\n`).join('');
    const { manifest } = await prepare(
      { 'clicks.csv': `who,what,at\n${good}1,b,-5\n1,b,1e300\n1,b,1500000000000\n1,b,NaN\n` },
      clicks,
    );
    expect(manifest.rows.events.bad).toEqual({ 'time-out-of-range': 2, 'time-unreadable': 2 });
    expect(manifest.time.last).toBe('2017-07-14T02:40:00.000Z');
    await expect(prepare({ 'clicks.csv': 'who,what,at\n1,a,1500000000000\n' }, clicks)).rejects.toMatchObject({
      code: 'too-many-bad-rows',
      message: expect.stringContaining('time-out-of-range') as unknown,
    });
  });
});

it('a data set is replaced when the new one is whole, and nothing else is', async () => {
  const { input, output, manifest } = await prepare({ 'ratings.csv': ratings });
  const again = { source: movielens, input, output };
  await expect(prepareDataset({ ...again, minHistory: 9 })).rejects.toMatchObject({ code: 'no-events' });
  expect(await prepareDataset(again)).toEqual(manifest);
  await expect(prepareDataset({ ...again, output: input })).rejects.toMatchObject({ code: 'output-not-empty' });
  expect(existsSync(join(input, 'ratings.csv'))).toBe(true);
});
