import {
  add,
  cast,
  divide,
  greaterEqual,
  matmulTransposed,
  maximum,
  multiply,
  parameter,
  rename,
  sum,
  type Float,
  type FloatScalar,
  type ParameterSpec,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import { linear, randomStreams, type LinearParameters } from '@user-llm/layers';
import type { EncoderInputs } from '@user-llm/plugin';
import { badConfig, featureOf } from './bad-config.js';
import type { EventEmbeddingParameters } from './event-embedding.js';
import { featureLoss } from './feature-loss.js';
import type { FeatureTable } from './feature-table.js';
import { firstValue, type LabelRows } from './label-rows.js';
import type { LossConfig } from './loss-config.js';
import { initializationOf, type TowerConfig } from './tower-config.js';

// R rows, B batch, E userWidth, V ids, F feature width.

/** What is predicted of the next event, and how outputs are made. */
export interface PredictionConfig extends TowerConfig, LossConfig {
  /** Weights of the predicted features in the loss; the item alone when absent. */
  readonly predict?: Readonly<Record<string, number>> | undefined;
  readonly tied: boolean;
}

type Tied = { readonly projection: LinearParameters<'userWidth', 'featureWidth'> };
type Untied = { readonly weight: ParameterSpec<readonly ['id', 'featureWidth']> };

/** Parameters of outputs, by feature; a tied output of the encoder's width has none. */
export type PredictionParameters = { readonly outputs: Readonly<Record<string, Tied | Untied>> };

type Own = SymbolicParameters<PredictionParameters & EventEmbeddingParameters>;

/** The outputs of an encoder. */
export interface Predictions {
  readonly parameters: PredictionParameters;
  /** The weighted sum of the losses of all predicted features. */
  loss(own: Own, rows: LabelRows, seed: Symbolic<'int32', readonly []> | undefined): FloatScalar;
  /** Scores of all items from embeddings `[B, E]`: `[B, V]`. */
  scores(own: Own, last: Float<readonly ['batch', 'userWidth']>): Float<readonly ['batch', 'item']>;
}

interface Output {
  readonly parameters?: Tied | Untied;
  table(own: Own): Float<readonly ['id', 'featureWidth']>;
  rows<R extends string>(own: Own, events: Float<readonly [R, 'userWidth']>): Float<readonly [R, 'featureWidth']>;
}

function output(name: string, table: FeatureTable, config: PredictionConfig): Output {
  const ownOf = <T>(own: Own) => (own.outputs as Readonly<Record<string, unknown>>)[name] as T;
  const renamed = <R extends string>(events: Float<readonly [R, 'userWidth']>) =>
    rename(events, 'userWidth', 'featureWidth') as Float<readonly [R, 'featureWidth']>;
  if (!config.tied) {
    const normal = { kind: 'normal', standardDeviation: config.deviation } as const;
    return {
      parameters: { weight: parameter(['id', 'featureWidth'], [table.size, config.width], normal) },
      table: (own) => ownOf<SymbolicParameters<Untied>>(own).weight,
      rows: (_, events) => renamed(events),
    };
  }
  const whole = (own: Own) => table.all(own.features[name]!);
  if (table.width === config.width) return { table: whole, rows: (_, events) => renamed(events) };
  const map = linear(
    { axis: 'userWidth', size: config.width },
    { axis: 'featureWidth', size: table.width },
    initializationOf(config),
  );
  return {
    parameters: { projection: map.parameters },
    table: whole,
    rows: (own, events) => map.apply(ownOf<SymbolicParameters<Tied>>(own).projection, events),
  };
}

/** One number per batch: the mean over slots, weighted by how many labels each slot has. */
function slotMean(losses: readonly FloatScalar[], labels: readonly Symbolic<'int32', readonly ['row']>[]): FloatScalar {
  if (losses.length === 1) return losses[0]!;
  const counts = labels.map((ids) => sum(cast(greaterEqual(ids, firstValue), 'float32')));
  const total = losses.map((loss, slot) => multiply(loss, counts[slot]!)).reduce((x, y) => add(x, y));
  return divide(
    total,
    maximum(
      counts.reduce((x, y) => add(x, y)),
      1,
    ),
  );
}

/**
 * The outputs of an encoder: for each predicted feature a table of outputs, that of its embeddings when tied.
 *
 * @throws UserLlmError `bad-config` when a predicted feature is unknown, or nothing is predicted.
 */
export function predictions(
  what: string,
  config: PredictionConfig,
  inputs: EncoderInputs,
  tables: Readonly<Record<string, FeatureTable>>,
): Predictions {
  const weights = Object.entries(config.predict ?? { [inputs.item]: 1 }).filter(([, weight]) => weight > 0);
  for (const [name] of weights) featureOf(inputs, name, `${what}: predict`);
  if (weights.length === 0)
    throw badConfig(`${what}: predict`, 'a feature with a weight above 0', 'none', `Predict ${inputs.item}.`);
  const names = [...new Set([inputs.item, ...weights.map(([name]) => name)])];
  const outputs = Object.fromEntries(names.map((name) => [name, output(name, tables[name]!, config)]));
  const trained = Object.entries(outputs).flatMap(([name, { parameters }]) =>
    parameters ? [[name, parameters] as const] : [],
  );
  return {
    parameters: { outputs: Object.fromEntries(trained) },
    loss: (own, { events, labels }, seed) => {
      const stream = randomStreams(`${what}/negatives`);
      const losses = weights.map(([name, weight]) => {
        const { rows, table } = outputs[name]!;
        const slots = labels(name);
        const predicted = { rows: rows(own, events), table: table(own), stream: stream(), ...(seed && { seed }) };
        const each = slots.map((ids) => featureLoss(config, { ...predicted, labels: ids }));
        const loss = slotMean(each, slots);
        return weight === 1 ? loss : multiply(loss, weight);
      });
      return losses.reduce((x, y) => add(x, y));
    },
    scores: (own, last) => {
      const { rows, table } = outputs[inputs.item]!;
      return scoresOf(rows(own, last), table(own));
    },
  };
}

/** Products of embeddings `[B, F]` with outputs `[V, F]`: `[B, V]`. */
export function scoresOf(
  last: Float<readonly ['batch', 'featureWidth']>,
  table: Float<readonly ['id', 'featureWidth']>,
): Float<readonly ['batch', 'item']> {
  return rename(matmulTransposed(last, table) as Float<readonly ['batch', 'id']>, 'id', 'item') as Float<
    readonly ['batch', 'item']
  >;
}
