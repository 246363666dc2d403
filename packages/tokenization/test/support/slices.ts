import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import type { Event, Item } from '@user-llm/plugin';

const data = process.env['USER_LLM_DATA'] ?? fileURLToPath(new URL('../../../../../shared/data', import.meta.url));

/** A slice of a public data set: its events as they stand in the raw file, and what is known of its items. */
export interface Slice {
  /** Folder of `USER_LLM_DATA`. */
  readonly name: string;
  readonly present: boolean;
  read(): Promise<{ readonly events: readonly Event[]; readonly items: readonly Item[] }>;
}

/** A slice in its official schema; no more of the schema is read than these tests need. */
function slice(name: string, events: LineReader<Event>, items: LineReader<Item>): Slice {
  return {
    name,
    present: existsSync(join(data, name)),
    read: async () => ({ events: await readLines(name, events), items: await readLines(name, items) }),
  };
}

interface LineReader<Row> {
  readonly file: string;
  /** One line; nothing for a header. */
  row(line: string): Row | undefined;
}

async function readLines<Row>(name: string, { file, row }: LineReader<Row>): Promise<Row[]> {
  const bytes = createReadStream(join(data, name, file));
  const text = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
  const rows: Row[] = [];
  for await (const line of createInterface({ input: text, crlfDelay: Infinity })) {
    const read = row(line);
    if (read !== undefined) rows.push(read);
  }
  return rows;
}

function rating(separator: string): (line: string) => Event | undefined {
  return (line) => {
    const [user, item, stars, time] = line.split(separator) as [string, string, string, string];
    return user === 'userId' ? undefined : { user, item, time: 1000 * Number(time), rating: Number(stars) };
  };
}

const quotedMovie = /^(\d+),(?:"((?:[^"]|"")*)"|([^,]*)),(.*)$/;

/** MovieLens, small: 100,836 ratings. */
export const movieLensSmall = slice(
  'ml-latest-small',
  { file: 'ratings.csv', row: rating(',') },
  {
    file: 'movies.csv',
    row: (line) => {
      const [, item, quoted, plain, genres] = quotedMovie.exec(line) ?? [];
      if (item === undefined) return undefined;
      return { item, title: (quoted ?? plain)!.replaceAll('""', '"'), categories: genres!.split('|') };
    },
  },
);

/** MovieLens-1M: 999,611 ratings. */
export const movieLens1M = slice(
  'ml-1m',
  { file: 'ratings.dat.gz', row: rating('::') },
  {
    file: 'movies.dat',
    row: (line) => {
      const [item, title, genres] = line.split('::') as [string, string, string];
      return { item, title, categories: genres.split('|') };
    },
  },
);

/** Reviews of musical instruments: 5,050, with text and summary. */
export const musicalInstruments = slice(
  'amazon-musical-instruments',
  {
    file: 'Musical_Instruments_5.json.gz',
    row: (line) => {
      const review = JSON.parse(line) as Readonly<Record<string, string | number | undefined>>;
      return {
        user: String(review['reviewerID']),
        item: String(review['asin']),
        time: 1000 * Number(review['unixReviewTime']),
        rating: Number(review['overall']),
        text: String(review['reviewText'] ?? ''),
        summary: String(review['summary'] ?? ''),
      };
    },
  },
  { file: 'Musical_Instruments_5.json.gz', row: () => undefined },
);
