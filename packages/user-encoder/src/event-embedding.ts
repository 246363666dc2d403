import {
  cast,
  concat,
  divide,
  maximum,
  multiply,
  notEqual,
  rename,
  sum,
  type Float,
  type ParameterTree,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import { linear, type LinearParameters } from '@user-llm/layers';
import type { EncodedFeature, EncoderInputs } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { featureTable, type FeatureTable, type FeatureTableParameters } from './feature-table.js';
import { initializationOf, type TowerConfig } from './tower-config.js';

// B batch, T events of a history, E userWidth, S slots.

/** Embeddings of events before anything has read them: `[B, T, E]`. */
export type Events = Float<readonly ['batch', 'event', 'userWidth']>;

/** Ids by feature, `[B, T]` or `[B, T, S]`. */
export type FeatureIds = Readonly<Record<string, Symbolic<'int32'>>>;

/** Parameters of an embedding of events. */
export type EventEmbeddingParameters = {
  readonly features: Readonly<Record<string, FeatureTableParameters>>;
};

type Own = SymbolicParameters<EventEmbeddingParameters>;
type Joined = LinearParameters<'featureWidth', 'userWidth'>;

/** What turns the ids of events into embeddings. */
export interface EventEmbedding {
  readonly tables: Readonly<Record<string, FeatureTable>>;
  readonly parameters: EventEmbeddingParameters;
  apply(own: Own, ids: FeatureIds): Events;
}

/** The ids of one feature. */
export function idsOf(ids: FeatureIds, name: string): Symbolic<'int32'> {
  const found = ids[name];
  if (found) return found;
  const expected = `ids of the feature ${JSON.stringify(name)}`;
  throw new UserLlmError('missing-feature', { what: 'events', expected, got: Object.keys(ids).join(', ') });
}

/** Embeddings of one feature, `[B, T, F]`: of several slots the mean over those in use, 0 where none is. */
export function embedFeature(
  table: FeatureTable,
  own: SymbolicParameters<FeatureTableParameters>,
  ids: Symbolic<'int32'>,
): Float {
  const rows = table.rows(own, ids);
  if (ids.axes.at(-1) !== 'slot') return rows;
  const used = cast(notEqual(ids, 0), 'float32');
  const count = maximum(sum(used as Float, 'slot') as Float, 1);
  return divide(sum(multiply(rows, used as never) as Float, 'slot') as Float, count as never) as Float;
}

/** The width of a feature's embedding. */
export function widthOf(config: TowerConfig, { name }: EncodedFeature, item: string): number {
  const other = name === item ? (config.itemWidth ?? config.width) : config.featureWidth;
  return config.featureWidths[name] ?? other;
}

/** Tables of embeddings of all features. */
export function featureTables(config: TowerConfig, inputs: EncoderInputs): Record<string, FeatureTable> {
  return Object.fromEntries(
    inputs.features.map((feature) => {
      const vectors = inputs.vectors?.[feature.name];
      const seen = inputs.seen?.[feature.name];
      const table = featureTable({
        size: feature.size,
        width: widthOf(config, feature, inputs.item),
        deviation: config.deviation,
        ...(vectors && { vectors, frozen: config.vectorProjection === 'frozen', ...(seen && { seen }) }),
      });
      return [feature.name, table];
    }),
  );
}

/**
 * Embeddings of events: those of their features side by side, mapped to the encoder's width. A single feature of that
 * width is taken as it is.
 */
export function eventEmbedding(config: TowerConfig, inputs: EncoderInputs): EventEmbedding {
  const tables = featureTables(config, inputs);
  const size = Object.values(tables).reduce((total, { width }) => total + width, 0);
  const mapped = Object.keys(tables).length > 1 || size !== config.width;
  const map = linear(
    { axis: 'featureWidth', size },
    { axis: 'userWidth', size: config.width },
    initializationOf(config),
  );
  const features = Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, table.parameters]));
  const scale = config.scaleEmbeddings ? Math.sqrt(config.width) : 1;
  return {
    tables,
    parameters: mapped
      ? ({ features, input: map.parameters } as EventEmbeddingParameters & ParameterTree)
      : { features },
    apply: (own, ids) => {
      const parts = Object.entries(tables).map(
        ([name, table]) => embedFeature(table, own.features[name]!, idsOf(ids, name)) as Widths,
      );
      const joined = concat(parts as [Widths, ...Widths[]], 'featureWidth');
      const events = mapped
        ? map.apply((own as unknown as { readonly input: SymbolicParameters<Joined> }).input, joined)
        : rename(joined, 'featureWidth', 'userWidth');
      return scale === 1 ? events : multiply(events, scale);
    },
  };
}

type Widths = Float<readonly ['batch', 'event', 'featureWidth']>;
