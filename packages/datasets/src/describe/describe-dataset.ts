import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '../engines/duckdb/connection.js';
import { literal } from '../engines/sql.js';
import { openDataset } from '../prepare/manifest.js';
import type { DatasetCard, LengthBin } from './dataset-card.js';

/** Upper ends of the bins of history lengths; the last one has no end. */
const lengthEnds = [1, 2, 4, 9, 19, 49, 99, 199, 499, 999, 1999, 4999];
const mostRatings = 20;
const day = 86_400_000;

/**
 * Looks at a prepared data set.
 *
 * @throws UserLlmError as `openDataset`, and when a table cannot be read.
 */
export async function describeDataset(folder: string): Promise<DatasetCard> {
  const { manifest, paths } = await openDataset(folder);
  const scratch = await mkdtemp(join(tmpdir(), 'user-llm-card-'));
  let connection: Connection | undefined;
  try {
    connection = await Connection.open({ scratch, memoryLimit: 1.5e9, threads: availableParallelism() });
    await connection.run(
      `CREATE VIEW events AS SELECT * FROM read_parquet(${literal(paths.events)});
       CREATE VIEW items AS SELECT * FROM read_parquet(${literal(paths.items)});
       CREATE TEMP TABLE lengths AS SELECT count(*) AS n FROM events GROUP BY user;
       CREATE TEMP TABLE popularity AS SELECT item, n, row_number() OVER (ORDER BY n DESC, item) AS rank
         FROM (SELECT item, count(*) AS n FROM events GROUP BY item)`,
    );
    return {
      manifest,
      histories: await histories(connection),
      ratings: await ratings(connection),
      popularity: await popularity(connection),
      periods: await periods(connection, Date.parse(manifest.time.last) - Date.parse(manifest.time.first)),
      categories: await categories(connection),
      texts: await texts(connection),
    };
  } finally {
    connection?.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function histories(connection: Connection): Promise<DatasetCard['histories']> {
  const found = await connection.one(
    `SELECT min(n) AS least, median(n) AS median, avg(n) AS mean, max(n) AS most, count(*) FILTER (n > 50) AS over50
     FROM lengths`,
  );
  const most = Number(found['most']);
  const counted = await connection.run(
    `SELECT list_position(list_transform([${lengthEnds.join(', ')}], lambda e: n <= e), true) AS bin, count(*) AS users
     FROM lengths GROUP BY bin`,
  );
  const users = new Map(
    counted.map((row) => [row['bin'] === null ? lengthEnds.length : Number(row['bin']) - 1, Number(row['users'])]),
  );
  const bins = [...lengthEnds, most].map((to, bin): LengthBin => ({
    from: (lengthEnds[bin - 1] ?? 0) + 1,
    to: Math.min(to, most),
    users: users.get(bin) ?? 0,
  }));
  return {
    least: Number(found['least']),
    median: Number(found['median']),
    mean: Number(found['mean']),
    most,
    over50: Number(found['over50']),
    bins: bins.filter(({ from }) => from <= most),
  };
}

async function ratings(connection: Connection): Promise<DatasetCard['ratings']> {
  const { distinct } = await connection.one('SELECT count(DISTINCT rating) AS "distinct" FROM events');
  const label =
    Number(distinct) <= mostRatings
      ? 'rating::VARCHAR'
      : `(SELECT format('{:.4g} to {:.4g}', low + bin * width, low + (bin + 1) * width) FROM (
           SELECT low, width, least(9, floor((rating - low) / width)) AS bin FROM range_of_ratings))`;
  await connection.run(
    `CREATE TEMP TABLE range_of_ratings AS SELECT min(rating) AS low, (max(rating) - min(rating)) / 10 AS width FROM events`,
  );
  const rows = await connection.run(
    `SELECT CASE WHEN rating IS NOT NULL THEN ${label} END AS label, count(*) AS n FROM events
     GROUP BY label ORDER BY min(rating) NULLS LAST`,
  );
  return rows.map((row) => ({
    rating: row['label'] === null ? 'none' : String(row['label']).replace(/\.0$/, ''),
    events: Number(row['n']),
  }));
}

async function popularity(connection: Connection): Promise<DatasetCard['popularity']> {
  const curve = await connection.run(
    `SELECT rank, n FROM popularity WHERE rank = (SELECT max(rank) FROM popularity) OR rank IN (
       SELECT DISTINCT round(pow(10, x / 12.0))::BIGINT FROM range(0, 121) AS steps(x)) ORDER BY rank`,
  );
  const shares = await connection.one(
    `SELECT sum(n) FILTER (rank <= ceil(0.01 * (SELECT count(*) FROM popularity))) / sum(n) AS top1,
       sum(n) FILTER (rank <= ceil(0.1 * (SELECT count(*) FROM popularity))) / sum(n) AS top10 FROM popularity`,
  );
  const top = await connection.run(
    `SELECT popularity.item, title, n FROM popularity LEFT JOIN items USING (item) WHERE rank <= 10 ORDER BY rank`,
  );
  return {
    curve: curve.map((row) => ({ rank: Number(row['rank']), events: Number(row['n']) })),
    top1: Number(shares['top1']),
    top10: Number(shares['top10']),
    top: top.map((row) => ({
      item: String(row['item']),
      title: row['title'] === null ? null : String(row['title']),
      events: Number(row['n']),
    })),
  };
}

async function periods(connection: Connection, duration: number): Promise<DatasetCard['periods']> {
  const unit = duration < 45 * day ? 'day' : duration < 4 * 365 * day ? 'month' : 'year';
  const format = { day: '%Y-%m-%d', month: '%Y-%m', year: '%Y' }[unit];
  const rows = await connection.run(
    `SELECT strftime(epoch_ms("time"), ${literal(format)}) AS period, count(*) AS n FROM events GROUP BY period ORDER BY period`,
  );
  return { unit, counts: rows.map((row) => ({ period: String(row['period']), events: Number(row['n']) })) };
}

async function categories(connection: Connection): Promise<DatasetCard['categories']> {
  const rows = await connection.run(
    `SELECT category, count(*) AS n FROM (SELECT unnest(categories) AS category FROM items)
     GROUP BY category ORDER BY n DESC, category LIMIT 20`,
  );
  return rows.map((row) => ({ category: String(row['category']), items: Number(row['n']) }));
}

async function texts(connection: Connection): Promise<DatasetCard['texts']> {
  const found = await connection.one('SELECT count(text) AS text, count(summary) AS summary FROM events');
  return { text: Number(found['text']), summary: Number(found['summary']) };
}
