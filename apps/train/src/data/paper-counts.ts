import type { Dataset } from '@user-llm/datasets';
import {
  formatPaperCounts,
  paperCounts,
  parquetEvents,
  publishedMovieLens20M,
  type PublishedCounts,
} from '@user-llm/tokenization';

/**
 * What the paper's protocol makes of a data set, beside the published counts, as lines to print; nothing for a data set
 * that is not the published one.
 */
export async function publishedCounts(
  { manifest, paths }: Dataset,
  published: PublishedCounts = publishedMovieLens20M,
): Promise<string> {
  if (manifest.rows.events.read !== published.rawEvents) return '';
  const lengths = new Map<string, number>();
  for await (const { users } of parquetEvents(paths.events).columns([])) {
    for (const user of Array.from(users)) lengths.set(user, (lengths.get(user) ?? 0) + 1);
  }
  return `${formatPaperCounts(paperCounts(lengths.values(), manifest.counts.items), published)}\n`;
}
