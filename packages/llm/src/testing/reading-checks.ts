import {
  differentiate,
  flattenParameters,
  reshape,
  input,
  graph,
  parameterInputs,
  type Symbolic,
} from '@user-llm/graph';
import { demand } from '@user-llm/plugin/testing';
import { Tensor } from '@user-llm/tensor';
import type { BenchCheck } from './family-checks.js';
import { difference, type ModelBench } from './model-bench.js';

/** How far float32 may be off, relative to the largest number. */
export const tolerance = 2e-5;

/** Throws unless numbers are those wanted. */
export function demandClose(got: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void {
  const off = difference(got, wanted);
  demand(off <= tolerance, what, `numbers within ${tolerance}`, `a difference of ${off}`);
}

const tokens = 9;

/** Mean cross-entropy of logits with labels; -100 does not count. */
function crossEntropy(logits: readonly Float32Array[], labels: readonly number[]): number {
  const losses = labels.flatMap((label, row) => {
    if (label === -100) return [];
    const own = logits[row]!;
    const largest = own.reduce((most, value) => Math.max(most, value), -Infinity);
    const log = Math.log(own.reduce((sum, value) => sum + Math.exp(value - largest), 0));
    return [largest + log - own[label]!];
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

async function lossAndGradients(bench: ModelBench, row: readonly number[], labels: readonly number[]) {
  const { llm, weights, runtime } = bench;
  const ids = input('tokens', 'int32', ['batch', 'token'], [1, row.length]);
  const wanted = input('labels', 'int32', ['row'], [row.length]);
  const { tree, named } = parameterInputs(llm.parameters);
  const hidden = llm.hidden(tree as never, { tokens: ids });
  const rows = reshape(hidden, ['row', 'modelWidth'], [row.length, llm.modelWidth]);
  const { loss, gradients } = differentiate(llm.loss(tree as never, rows, wanted), named);
  const slopes = Object.entries(gradients).map(([name, slope]) => [`gradient/${name}`, slope as Symbolic] as const);
  const outputs = { loss, ...Object.fromEntries(slopes) };
  const program = await runtime.compile(graph([ids, wanted, ...Object.values(named)], outputs));
  const results = await program.run({
    ...weights,
    tokens: new Tensor('int32', ['batch', 'token'], [1, row.length], Int32Array.from(row)) as Tensor,
    labels: new Tensor('int32', ['row'], [row.length], Int32Array.from(labels)) as Tensor,
  });
  const read: Record<string, Float32Array> = {};
  for (const [name, value] of Object.entries(results)) {
    read[name] = ((await value.read()).contiguous() as Tensor<'float32'>).data;
    value.dispose();
  }
  await program.dispose();
  return read;
}

/** What is read at once. */
export const readingChecks: Readonly<Record<string, BenchCheck>> = {
  'shapes are those of the sizes it tells': async (bench) => {
    const { llm } = bench;
    const row = bench.tokens(3);
    const { hidden, logits, embedded } = await bench.run([row, row], (tree, ids) => ({
      hidden: llm.hidden(tree, { tokens: ids }),
      logits: llm.apply(tree, { tokens: ids }),
      embedded: llm.embed(tree, ids),
    }));
    const shape = (tensor: Tensor | undefined, last: number): void => {
      demand(`${tensor?.shape}` === `2,3,${last}`, 'shape', `[2, 3, ${last}]`, `[${tensor?.shape}]`);
    };
    shape(hidden, llm.modelWidth);
    shape(embedded, llm.modelWidth);
    shape(logits, llm.vocabularySize);
  },
  'each linear map is a parameter of its sizes': async ({ llm }) => {
    const parameters = flattenParameters(llm.parameters);
    const maps = Object.entries(llm.linearMaps);
    demand(maps.length > 0, 'linear maps', 'some', 'none');
    for (const [name, { inputs, outputs }] of maps) {
      const shape = parameters.get(`${name}.weight`)?.shape;
      demand(`${shape}` === `${outputs},${inputs}`, `${name}.weight`, `[${outputs}, ${inputs}]`, `[${shape}]`);
    }
    await Promise.resolve();
  },
  'no token sees those after it': async (bench) => {
    const row = bench.tokens(tokens);
    const changed = row.map((token, at) => (at === 5 ? (token + 1) % bench.llm.vocabularySize : token));
    const [first, second] = await bench.logits([row, changed]);
    for (let at = 0; at < 5; at++) demandClose(second![at]!, first![at]!, `logits at token ${at} of 5 that stayed`);
    for (let at = 5; at < tokens; at++)
      demand(difference(second![at]!, first![at]!) > 1e-3, `logits at token ${at}`, 'others', 'the same');
  },
  'no row sees another, and what fills up a row counts for nothing': async (bench) => {
    const [long, short] = [bench.tokens(tokens, 'long'), bench.tokens(4, 'short')];
    const [alone] = await bench.logits([short]);
    const [, beside] = await bench.logits([long, [...short, ...long.slice(4)]]);
    short.forEach((_, at) => {
      demandClose(beside![at]!, alone![at]!, `logits at token ${at} beside a longer row`);
    });
  },
  'the order of tokens counts': async (bench) => {
    const row = [1, 2, 3, 3];
    const [one, other] = await bench.logits([row, [2, 1, 3, 3]]);
    demand(
      difference(one![3]!, other![3]!) > 1e-3,
      'logits after the same tokens in another order',
      'others',
      'the same',
    );
  },
  'logits of hidden states are those of apply': async (bench) => {
    const { llm } = bench;
    const { all, rows } = await bench.run([bench.tokens(4)], (tree, ids) => ({
      all: llm.apply(tree, { tokens: ids }),
      rows: llm.logits(tree, reshape(llm.hidden(tree, { tokens: ids }), ['row', 'modelWidth'], [4, llm.modelWidth])),
    }));
    demandClose(rows!.data, all!.data, 'logits');
  },
  'the loss is the cross-entropy of the logits, and every parameter has a gradient': async (bench) => {
    const row = bench.tokens(tokens);
    const labels = row.map((_, at) => (at === 2 ? -100 : bench.tokens(tokens, 'labels')[at]!));
    const read = await lossAndGradients(bench, row, labels);
    const [logits] = await bench.logits([row]);
    demandClose(read['loss']!, [crossEntropy(logits!, labels)], 'loss');
    for (const name of flattenParameters(bench.llm.parameters).keys()) {
      const slope = read[`gradient/${name}`];
      demand(
        Boolean(slope?.some((value) => value !== 0)),
        `gradient of ${name}`,
        'one that is not 0',
        slope ? '0' : 'none',
      );
    }
  },
};
