import type { DatasetCard } from './dataset-card.js';

const barWidth = 40;
const number = (n: number) => n.toLocaleString('en-US', { maximumFractionDigits: 1 });
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** A data card as plain text, with bars. */
export function formatCard(card: DatasetCard): string {
  const { manifest, histories, ratings, popularity, periods, categories, texts } = card;
  const { counts, rows, time } = manifest;
  const bad = Object.entries(rows.events.bad).map(([reason, n]) => `${number(n)} ${reason}`);
  return [
    manifest.source,
    `  ${number(counts.events)} events of ${number(counts.users)} users with ${number(counts.itemsWithEvents)} items`,
    `  from ${time.first} to ${time.last}`,
    `  ${number(counts.items)} items in all, ${number(counts.itemsWithoutMetadata)} without metadata`,
    `  ${number(texts.text)} events with a text, ${number(texts.summary)} with a headline`,
    `  raw rows: ${number(rows.events.read)} read, bad: ${bad.join(', ') || 'none'}, duplicates: ${number(rows.events.duplicates)}`,
    '',
    `Events per user: ${histories.least} to ${number(histories.most)}, median ${number(histories.median)}, mean ${number(histories.mean)}; ${number(histories.over50)} users with more than 50`,
    ...bars(histories.bins.map(({ from, to, users }) => [from === to ? `${from}` : `${from}-${to}`, users])),
    '',
    'Ratings (events)',
    ...bars(ratings.map(({ rating, events }) => [rating, events])),
    '',
    `Popularity (events of the item at a rank): the top 1 % of the items have ${percent(popularity.top1)} of the events, the top 10 % ${percent(popularity.top10)}`,
    ...bars(decades(popularity.curve).map(({ rank, events }) => [`rank ${rank}`, events])),
    ...popularity.top
      .slice(0, 5)
      .map(({ item, title, events }, at) => `  ${at + 1}. ${title ?? item} (${number(events)})`),
    '',
    `Events per ${periods.unit}`,
    ...bars(periods.counts.map(({ period, events }) => [period, events])),
    ...(categories.length === 0 ? [] : ['', 'Items per category (the most common)']),
    ...bars(categories.slice(0, 10).map(({ category, items }) => [category, items])),
    '',
  ].join('\n');
}

/** The ranks 1, 10, 100 and so on, and the last one. */
const decades = (curve: DatasetCard['popularity']['curve']) =>
  curve.filter(({ rank }, at) => /^10*$/.test(String(rank)) || at === curve.length - 1);

function bars(values: readonly (readonly [label: string, value: number])[]): string[] {
  const most = Math.max(1, ...values.map(([, value]) => value));
  const figures = values.map(([, value]) => number(value));
  const labelWidth = Math.max(0, ...values.map(([label]) => label.length));
  const figureWidth = Math.max(0, ...figures.map((figure) => figure.length));
  return values.map(([label, value], at) => {
    const bar = '█'.repeat(Math.round((barWidth * value) / most));
    return `  ${label.padEnd(labelWidth)}  ${figures[at]!.padStart(figureWidth)}  ${bar}`.trimEnd();
  });
}
