import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Event, Item } from '@user-llm/plugin';
import { evaluationData, type EvaluationData } from '../src/index.js';

/** Where real data sets are. */
export const dataFolder =
  process.env['USER_LLM_DATA'] ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url));

/** Events of one user, one a second. */
export function history(user: string, items: string): Event[] {
  return [...items].map((item, second) => ({ user, item, time: second * 1000 }));
}

/** A data set whose users choose items of one letter each. */
export function letters(histories: Readonly<Record<string, string>>, items: readonly Item[] = []): EvaluationData {
  return evaluationData({
    name: 'letters',
    events: Object.entries(histories).flatMap(([user, own]) => history(user, own)),
    items,
  });
}

/** A real MovieLens data set, 5-core, or nothing where it is not there. */
export function movieLens(name: 'ml-1m' | 'ml-latest-small'): EvaluationData | undefined {
  const path = join(dataFolder, name, name === 'ml-1m' ? 'ratings.dat.gz' : 'ratings.csv');
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  const rows = name === 'ml-1m' ? gunzipSync(bytes).toString('latin1').split('\n') : readLines(bytes).slice(1);
  const events = rows.flatMap((row): Event[] => {
    const [user, item, rating, seconds] = row.split(name === 'ml-1m' ? '::' : ',');
    if (user === undefined || item === undefined || seconds === undefined) return [];
    return [{ user, item, rating: Number(rating), time: 1000 * Number(seconds) }];
  });
  return evaluationData({ name, events: fiveCore(events) });
}

const readLines = (bytes: Buffer) => bytes.toString('utf8').split(/\r?\n/u);

function fiveCore(events: readonly Event[]): Event[] {
  const counted = (by: 'user' | 'item', among: readonly Event[]) => {
    const counts = new Map<string, number>();
    for (const event of among) counts.set(event[by], (counts.get(event[by]) ?? 0) + 1);
    return counts;
  };
  let kept = [...events];
  for (let before = Infinity; kept.length < before;) {
    before = kept.length;
    const users = counted('user', kept);
    const items = counted('item', kept);
    kept = kept.filter(({ user, item }) => users.get(user)! >= 5 && items.get(item)! >= 5);
  }
  return kept;
}
