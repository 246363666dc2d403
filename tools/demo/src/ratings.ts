import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Films of one user in the order in which they were rated, as positions in the list of films kept. */
export type History = readonly number[];

/** Histories over the films that enough users have rated. */
export interface Histories {
  readonly films: number;
  readonly users: readonly History[];
}

/**
 * Reads `ratings.csv.gz` of MovieLens.
 *
 * @param file The path of the file.
 * @param minimumRatings Films with fewer ratings are left out.
 * @throws Error when the file's header is not that of MovieLens.
 */
export function readHistories(file: URL, minimumRatings: number): Histories {
  const [header, ...lines] = gunzipSync(readFileSync(file)).toString('utf8').trim().split(/\r?\n/);
  if (header !== 'userId,movieId,rating,timestamp')
    throw new Error(`${file.pathname} does not hold MovieLens ratings.`);
  const rows = lines.map(
    (line) => line.split(',').map(Number) as [user: number, film: number, stars: number, time: number],
  );
  const counts = new Map<number, number>();
  for (const [, film] of rows) counts.set(film, (counts.get(film) ?? 0) + 1);
  const kept = [...counts.keys()].filter((film) => counts.get(film)! >= minimumRatings).sort((a, b) => a - b);
  const position = new Map(kept.map((film, at) => [film, at]));
  const users = new Map<number, number[]>();
  // Sorting is stable, so ratings of the same second stay in the order of the file.
  for (const [user, film] of rows.sort((a, b) => a[3] - b[3])) {
    const at = position.get(film);
    if (at === undefined) continue;
    const history = users.get(user) ?? [];
    users.set(user, history);
    history.push(at);
  }
  return { films: kept.length, users: [...users.values()] };
}
