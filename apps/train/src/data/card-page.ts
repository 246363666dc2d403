import type { DatasetCard } from '@user-llm/datasets';
import { html, htmlPage, plot, type Html, type PlotSpec } from '@user-llm/evaluation';

const number = (n: number) => n.toLocaleString('en-US', { maximumFractionDigits: 1 });
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** A data card as one HTML page that needs nothing else. */
export async function cardPage(card: DatasetCard): Promise<string> {
  const { manifest, histories, ratings, popularity, periods, categories } = card;
  const { counts } = manifest;
  const [lengths, stars, curve, times, kinds] = await Promise.all([
    plot(
      bars(
        'events of a user',
        'users',
        histories.bins.map(({ from, to, users }) => [from === to ? `${from}` : `${from}–${to}`, users]),
      ),
      'Histogram of the lengths of histories',
    ),
    plot(
      bars(
        'rating',
        'events',
        ratings.map(({ rating, events }) => [rating, events]),
      ),
      'Events of each rating',
    ),
    plot(popularityCurve(popularity.curve), 'Events of the item at each rank of popularity'),
    plot(
      bars(
        periods.unit,
        'events',
        periods.counts.map(({ period, events }) => [period, events]),
      ),
      `Events per ${periods.unit}`,
    ),
    plot(
      across(
        'category',
        'items',
        categories.map(({ category, items }) => [category, items]),
      ),
      'Items per category',
    ),
  ]);
  return htmlPage({
    title: `Data card: ${manifest.source}`,
    lead: `${number(counts.users)} users · ${number(counts.itemsWithEvents)} items · ${number(counts.events)} events`,
    sections: [
      html`<section>
        <h2>What it is</h2>
        ${facts(card)}
      </section>`,
      plotted(
        'Histories',
        lengths,
        `Least ${number(histories.least)}, median ${number(histories.median)}, mean ${number(histories.mean)}, most ${number(histories.most)} events; ${number(histories.over50)} users have more than 50.`,
      ),
      plotted('Ratings', stars),
      html`<section>
        <h2>Popularity</h2>
        <p class="note">
          The most popular 1 % of the items have ${percent(popularity.top1)} of the events, the most popular 10 %
          ${percent(popularity.top10)}.
        </p>
        <figure>${curve}</figure>
        ${mostPopular(card)}
      </section>`,
      plotted('Times', times),
      ...(categories.length === 0 ? [] : [plotted('Categories', kinds, 'Items of the most common categories.')]),
    ],
  });
}

const plotted = (title: string, plot: Html, note?: string): Html =>
  html`<section>
    <h2>${title}</h2>
    ${note === undefined ? undefined : html`<p class="note">${note}</p>`}
    <figure>${plot}</figure>
  </section>`;

function facts({ manifest, texts }: DatasetCard): Html {
  const { counts, rows, time, inputs, options, madeBy, citation } = manifest;
  const bad = Object.entries(rows.events.bad).map(([reason, n]) => `${number(n)} ${reason}`);
  const filters = `minimum history ${options.minHistory}, k-core ${options.kCore}, duplicates: ${options.duplicates}`;
  const entries: readonly (readonly [string, string])[] = [
    ['time', `${time.first} to ${time.last}`],
    ['items', `${number(counts.items)} in all, ${number(counts.itemsWithoutMetadata)} without metadata`],
    ['texts', `${number(texts.text)} events with a text, ${number(texts.summary)} with a headline`],
    [
      'raw rows',
      `${number(rows.events.read)} read, bad: ${bad.join(', ') || 'none'}, duplicates: ${number(rows.events.duplicates)}`,
    ],
    ['raw files', inputs.map(({ file }) => file).join(', ')],
    ['filters', filters],
    ['made by', `${madeBy.package}, ${madeBy.engine}`],
    ...(citation === undefined ? [] : [['source', citation] as const]),
  ];
  return html`<dl>
    ${entries.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}

function mostPopular({ popularity }: DatasetCard): Html {
  return html`<table>
    <thead>
      <tr>
        <th>item</th>
        <th class="number">events</th>
      </tr>
    </thead>
    <tbody>
      ${popularity.top.map(
        ({ item, title, events }) =>
          html`<tr>
            <th>${title ?? item}</th>
            <td>${number(events)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

type Values = readonly (readonly [label: string, value: number])[];

const colour = '#0072b2';
const rowsOf = (values: Values) => values.map(([label, value]) => ({ label, value }));

/** Upright bars in the order given; where they are many, only some are named. */
function bars(x: string, y: string, values: Values): PlotSpec {
  const named = values.filter((_, at) => at % Math.ceil(values.length / 14) === 0).map(([label]) => label);
  return {
    width: 640,
    height: 220,
    data: { values: rowsOf(values) },
    mark: { type: 'bar', color: colour },
    encoding: {
      x: {
        field: 'label',
        type: 'ordinal',
        sort: null,
        title: x,
        axis: { values: named, labelAngle: 0, labelOverlap: true },
      },
      y: { field: 'value', type: 'quantitative', title: y, axis: { tickCount: 5, format: '~s' } },
    },
  };
}

/** Lying bars, for long names. */
function across(y: string, x: string, values: Values): PlotSpec {
  return {
    width: 520,
    height: { step: 20 },
    data: { values: rowsOf(values) },
    mark: { type: 'bar', color: colour },
    encoding: {
      y: { field: 'label', type: 'nominal', sort: null, title: y, axis: { labelLimit: 220 } },
      x: { field: 'value', type: 'quantitative', title: x, axis: { tickCount: 5, format: '~s' } },
    },
  };
}

function popularityCurve(curve: DatasetCard['popularity']['curve']): PlotSpec {
  const logarithmic = (field: string, title: string, grid: boolean) =>
    ({
      field,
      type: 'quantitative',
      title,
      scale: { type: 'log', nice: false },
      axis: { grid, format: '~s', tickCount: 5 },
    }) as const;
  return {
    width: 640,
    height: 260,
    data: { values: [...curve] },
    mark: { type: 'line', strokeWidth: 2, color: colour },
    encoding: { x: logarithmic('rank', 'rank of the item', false), y: logarithmic('events', 'events', true) },
  };
}
