import { openDataset } from '@user-llm/datasets';
import type { Event } from '@user-llm/plugin';
import type { Histories } from '@user-llm/serving';
import { UserLlmError } from '@user-llm/tensor';
import { parquetEvents, type EventColumns } from '@user-llm/tokenization';

/** Most events that are held in memory; a larger data set's users come by HTTP. */
const mostEvents = 30_000_000;

/** The users of a prepared data set. */
export interface DatasetUsers {
  /** Their events, in order of time. */
  readonly histories: Histories;
  /** Number of users. */
  readonly count: number;
  /** Some users, spread evenly over the data set. */
  examples(count: number): readonly string[];
}

/** Consecutive events of one user, in one chunk of columns. */
interface Range {
  readonly chunk: EventColumns;
  readonly start: number;
  end: number;
}

/**
 * Reads a prepared data set into memory, by columns; events become objects only when a user is asked for.
 *
 * @param tenant Whose users they are; others' requests do not see them.
 * @throws UserLlmError as `openDataset`, and `dataset-too-large`.
 */
export async function datasetUsers(folder: string, tenant: string): Promise<DatasetUsers> {
  const { manifest, paths } = await openDataset(folder);
  if (manifest.counts.events > mostEvents) {
    throw new UserLlmError('dataset-too-large', {
      what: folder,
      expected: `at most ${mostEvents} events`,
      got: String(manifest.counts.events),
      mend: 'Serve without --data, and append the events over HTTP into a --store.',
    });
  }
  const fields = Object.keys(manifest.schema.events).filter((name) => !['user', 'item', 'time'].includes(name));
  const ranges = new Map<string, Range[]>();
  for await (const chunk of parquetEvents(paths.events).columns(fields)) addRanges(ranges, chunk);
  const users = [...ranges.keys()];
  return {
    count: users.length,
    examples: (count) => {
      const wanted = Math.min(count, users.length);
      return Array.from({ length: wanted }, (_, at) => users[Math.floor((at * users.length) / wanted)]!);
    },
    histories: (key) => {
      const found = key.tenant === tenant ? ranges.get(key.user) : undefined;
      return Promise.resolve(found?.flatMap(eventsOf).sort((a, b) => a.time - b.time));
    },
  };
}

function addRanges(ranges: Map<string, Range[]>, chunk: EventColumns): void {
  for (let at = 0; at < chunk.length; at++) {
    const user = chunk.users[at]!;
    const own = ranges.get(user);
    const last = own?.at(-1);
    if (last?.chunk === chunk && last.end === at) last.end++;
    else if (own) own.push({ chunk, start: at, end: at + 1 });
    else ranges.set(user, [{ chunk, start: at, end: at + 1 }]);
  }
}

function eventsOf({ chunk, start, end }: Range): Event[] {
  return Array.from({ length: end - start }, (_, offset) => {
    const at = start + offset;
    const more = Object.entries(chunk.fields)
      .map(([name, values]) => [name, values[at]] as const)
      .filter(([, value]) => value !== null && value !== undefined);
    return { user: chunk.users[at]!, item: chunk.items[at]!, time: chunk.times[at]!, ...Object.fromEntries(more) };
  });
}
