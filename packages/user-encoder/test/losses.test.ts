import { constant, differentiate, evaluate, graph, input, parameterInputs, type FloatScalar } from '@user-llm/graph';
import { Random, scalar } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { featureLoss } from '../src/feature-loss.js';
import { autoregressiveEncoder, dualEncoder } from '../src/index.js';
import type { LossConfig } from '../src/loss-config.js';
import { drawNegatives } from '../src/negatives.js';
import { calibratedPower } from '../src/sampled-losses.js';
import { asReference, batchInputs, build, firstValues, genres, items, randomBatch, ratings } from './support.js';

const [rows, ids, width] = [9, 23, 4];
const values = ids - 3;
const drawn = (count: number, name: string): Float64Array =>
  Random.fromSeed(1).split(name).normal(new Float64Array(count));
const hidden = drawn(rows * width, 'hidden');
const table = drawn(ids * width, 'table');
const labels = [3, 22, 7, 0, 9, 1, 7, 2, 14];
const scoreOf = (row: number, id: number): number =>
  Array.from({ length: width }, (_, k) => hidden[row * width + k]! * table[id * width + k]!).reduce((x, y) => x + y);
const counting = labels.flatMap((label, row) => (label >= 3 ? [row] : []));

function lossOf(config: Partial<LossConfig>, seed = 0): { readonly loss: number; readonly slopes: ArrayLike<number> } {
  const hidden_RF = input('hidden', 'float32', ['row', 'featureWidth'], [rows, width]);
  const table_VF = input('table', 'float32', ['id', 'featureWidth'], [ids, width]);
  const labels_R = input('labels', 'int32', ['row'], [rows]);
  const settings: LossConfig = {
    loss: 'softmax',
    sampledAbove: 1000,
    negatives: values,
    sampling: 'uniform',
    calibration: 0.75,
    rowsAtOnce: 4,
    ...config,
  };
  const loss: FloatScalar = featureLoss(settings, {
    rows: hidden_RF,
    table: table_VF,
    labels: labels_R,
    seed: constant(scalar('int32', seed)),
    stream: 3,
  });
  const { gradients } = differentiate(loss, { table: table_VF });
  const got = evaluate(graph([hidden_RF, table_VF, labels_R], { loss, slopes: gradients['table']! }), {
    hidden: { dtype: 'float32', shape: [rows, width], data: hidden },
    table: { dtype: 'float32', shape: [ids, width], data: table },
    labels: { dtype: 'int32', shape: [rows], data: Float64Array.from(labels) },
  });
  return { loss: got['loss']!.data[0]!, slopes: got['slopes']!.data };
}

/** Cross-entropy over ids from `first` up, in plain numbers. */
function crossEntropy(first: number): number {
  const losses = counting.map((row) => {
    const total = Array.from({ length: ids - first }, (_, at) => Math.exp(scoreOf(row, first + at)));
    return Math.log(total.reduce((x, y) => x + y)) - scoreOf(row, labels[row]!);
  });
  return losses.reduce((x, y) => x + y) / counting.length;
}

describe('softmax', () => {
  it('is over all ids, of rows whose label stands for a value', () => {
    expect(lossOf({}).loss).toBeCloseTo(crossEntropy(0), 10);
  });

  it('with every value drawn once equals the full one over values', () => {
    const { loss } = lossOf({ loss: 'sampled-softmax' }, 17);
    expect(loss).toBeCloseTo(crossEntropy(3), 6);
  });

  it('draws above the configured number of ids', () => {
    expect(lossOf({ sampledAbove: ids - 1 }).loss).toBeCloseTo(crossEntropy(3), 6);
  });

  it.each(['uniform', 'log-uniform'] as const)('is right in the mean of its sums when ids are drawn %s', (sampling) => {
    // exp(loss) estimates without bias what the sum of exponentials makes of each row, so compare one row.
    const seeds = 400;
    const one = counting[0]!;
    const sums = Array.from({ length: seeds }, (_, seed) => {
      const { ids: chosen, logCounts } = drawNegatives(sampling, 8, ids, constant(scalar('int32', seed)), 5);
      const got = evaluate(graph([], { chosen, logCounts }), {});
      return Array.from(got['chosen']!.data).reduce(
        (sum, id, at) => (id === labels[one] ? sum : sum + Math.exp(scoreOf(one, id) - got['logCounts']!.data[at]!)),
        0,
      );
    });
    const mean = sums.reduce((x, y) => x + y) / seeds;
    const deviation = Math.sqrt(sums.reduce((x, y) => x + (y - mean) ** 2, 0) / seeds);
    const all = Array.from({ length: values }, (_, at) => 3 + at).filter((id) => id !== labels[one]);
    const expected = all.reduce((sum, id) => sum + Math.exp(scoreOf(one, id)), 0);
    expect(Math.abs(mean - expected)).toBeLessThan((4 * deviation) / Math.sqrt(seeds));
  });
});

describe('binary cross-entropy', () => {
  const softplus = (x: number): number => Math.log1p(Math.exp(x));
  const expected = (power: number): number =>
    counting
      .map((row) => {
        const others = Array.from({ length: values }, (_, at) => 3 + at).filter((id) => id !== labels[row]);
        const refused = others.reduce((sum, id) => sum + softplus(scoreOf(row, id)), 0);
        return (power * softplus(-scoreOf(row, labels[row]!)) + refused) / (1 + values);
      })
      .reduce((x, y) => x + y) / counting.length;

  it('weighs the label against all drawn', () => {
    expect(lossOf({ loss: 'bce' }).loss).toBeCloseTo(expected(1), 6);
  });

  it('raises the probability of the label to a power in gBCE', () => {
    expect(calibratedPower(256, 3417, 0)).toBe(1);
    expect(calibratedPower(256, 3417, 1)).toBeCloseTo(256 / 3416, 12);
    expect(lossOf({ loss: 'gbce', calibration: 1 }).loss).toBeCloseTo(expected(1), 6);
    const few = lossOf({ loss: 'gbce', negatives: 2, calibration: 1 }).loss;
    expect(few).toBeLessThan(lossOf({ loss: 'bce', negatives: 2 }).loss);
  });
});

it('labels that stand for nothing leave their rows out', () => {
  const whole = lossOf({ loss: 'sampled-softmax', negatives: 5 });
  expect(whole.loss).toBeGreaterThan(0);
  const reserved = Array.from(whole.slopes).slice(0, 3 * width);
  expect(reserved.every((slope) => slope === 0)).toBe(true);
});

describe.each([
  ['autoregressive', autoregressiveEncoder, { predict: { item: 1, genre: 0.5 } }],
  ['dual', dualEncoder, { candidates: 1000 }],
] as const)('the loss of the %s encoder', (_, encoder, more) => {
  it('is the same of the rows that have labels as of all', () => {
    const features = [items, genres, ratings];
    const lengths = [5, 2];
    const module = build(encoder, { width: 8, layers: 1, heads: 2, dropout: 0, ...more }, { features, item: 'item' });
    const batch = batchInputs(features, 2, 5);
    const { tree, named } = parameterInputs(module.parameters);
    const chosen = input('rows', 'int32', ['row'], [8]);
    const own = { features: batch.features, labels: batch.labels, mask: batch.mask };
    const got = evaluate(
      graph([...batch.all, chosen, ...Object.values(named)], {
        all: module.loss(tree as never, own),
        some: module.loss(tree as never, { ...own, rows: chosen }),
      }),
      {
        ...asReference({ ...randomBatch(features, lengths, 5, 4), ...firstValues(module) }),
        rows: { dtype: 'int32', shape: [8], data: Float64Array.of(0, 1, 2, 3, 4, 5, 6, 9) },
      },
    );
    expect(got['some']!.data[0]).toBeCloseTo(got['all']!.data[0]!, 12);
  });
});
