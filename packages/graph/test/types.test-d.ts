// Compiled, never run: each line under "@ts-expect-error" must be an error, all others must not.
import type { Id } from '@user-llm/tensor';
import {
  add,
  attention,
  batchMatmul,
  batchMatmulTransposed,
  broadcastLike,
  cast,
  concat,
  dropout,
  embed,
  equal,
  gather,
  gradients,
  input,
  layerNorm,
  less,
  linearCrossEntropy,
  matmul,
  matmulTransposed,
  parameter,
  rename,
  scatterAdd,
  softmax,
  sparseCrossEntropy,
  stack,
  sum,
  takeAlong,
  transpose,
  where,
  type Float,
  type FloatScalar,
  type Module,
  type OperatorName,
  type PrimitiveName,
  type Symbolic,
} from '../src/index.js';

type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function expectType<Expected>(): <Actual>(
  value: Actual,
  ...same: Equals<Expected, Actual> extends true ? [] : [never]
) => void;

declare const events: Float<readonly ['batch', 'event', 'userWidth']>;
declare const latents: Float<readonly ['batch', 'latent', 'userWidth']>;
declare const text: Float<readonly ['batch', 'token', 'modelWidth']>;
declare const square: Float<readonly ['userWidth', 'userWidth']>;
declare const up: Float<readonly ['userWidth', 'modelWidth']>;
declare const bias: Float<readonly ['userWidth']>;
declare const table: Float<readonly ['item', 'userWidth']>;
declare const items: Symbolic<Id<'item'>, readonly ['batch', 'event']>;
declare const genres: Symbolic<Id<'genre'>, readonly ['batch', 'event']>;
declare const counts: Symbolic<'int32', readonly ['batch', 'event']>;
declare const mask: Symbolic<'bool', readonly ['batch', 'event']>;
declare const seed: Symbolic<'int32', readonly []>;
declare const scores: Float<readonly ['batch', 'event', 'item']>;

// Inputs: as many sizes as axes
expectType<Symbolic<'float32', readonly ['batch', 'event']>>()(input('x', 'float32', ['batch', 'event'], [2, 3]));
// @ts-expect-error one size too few
input('x', 'float32', ['batch', 'event'], [2]);

// Linear maps
expectType<Float<readonly ['batch', 'event', 'modelWidth']>>()(matmul(matmul(events, square), up));
expectType<Float<readonly ['batch', 'event', 'item']>>()(matmulTransposed(events, table));
expectType<Float<readonly ['batch', 'event', 'latent']>>()(batchMatmulTransposed(events, latents));
expectType<Float<readonly ['batch', 'event', 'userWidth']>>()(
  batchMatmul(batchMatmulTransposed(events, latents), latents),
);
// @ts-expect-error text is modelWidth wide
matmul(text, up);
// @ts-expect-error a table of items is used the other way round
matmul(events, table);
// @ts-expect-error widths differ
batchMatmulTransposed(events, text);
// @ts-expect-error events are not latents
batchMatmul(batchMatmulTransposed(events, events), latents);

// Arithmetic broadcasts by names
expectType<Float<readonly ['batch', 'event', 'userWidth']>>()(add(events, bias));
expectType<Float<readonly ['batch', 'event', 'userWidth']>>()(add(bias, events));
expectType<Float<readonly ['batch', 'event', 'userWidth']>>()(add(1, events));
expectType<Symbolic<'bool', readonly ['batch', 'event', 'userWidth']>>()(less(events, bias));
// @ts-expect-error latents are not events
add(latents, events);
// @ts-expect-error another width
add(text, bias);
// @ts-expect-error whole numbers are not real numbers
add(events, counts);
// @ts-expect-error ids of two kinds are never equal
equal(items, genres);

// Ids
expectType<Float<readonly ['batch', 'event', 'userWidth']>>()(embed(table, items));
expectType<Float<readonly ['batch', 'event', 'userWidth']>>()(gather(table, counts));
// @ts-expect-error genres are not items
embed(table, genres);
// @ts-expect-error nobody has said that these are items
embed(table, counts);

// Attention
expectType<Float<readonly ['batch', 'latent', 'userWidth']>>()(attention(latents, events, events, { heads: 2 }));
// @ts-expect-error keys and values have different places
attention(latents, events, latents, { heads: 2 });
// @ts-expect-error keys and values have different widths
attention(latents, events, rename(events, 'userWidth', 'modelWidth'), { heads: 2 });
// @ts-expect-error users and batches are different things
attention(latents, rename(events, 'batch', 'user'), rename(events, 'batch', 'user'), { heads: 2 });
// @ts-expect-error a mask is made of conditions
attention(latents, events, events, { heads: 2 }, counts);

// Axes by name
expectType<Float<readonly ['batch', 'userWidth']>>()(sum(events, 'event'));
expectType<FloatScalar>()(sum(events));
expectType<Float<readonly ['batch', 'history', 'userWidth']>>()(rename(events, 'event', 'history'));
expectType<Float<readonly ['event', 'batch', 'userWidth']>>()(transpose(events, ['event', 'batch', 'userWidth']));
// @ts-expect-error there are no tokens
sum(events, 'token');
// @ts-expect-error there are no tokens
softmax(events, 'token');
// @ts-expect-error there are no tokens
rename(events, 'token', 'event');
// @ts-expect-error there are no tokens
transpose(events, ['token', 'batch', 'userWidth']);
// @ts-expect-error there are no tokens
takeAlong(events, counts, 'token');

// Joining
expectType<Float<readonly ['batch', 'event', 'userWidth']>>()(concat([events, events], 'event'));
expectType<Float<readonly ['layer', 'batch', 'event', 'userWidth']>>()(stack([events, events], 'layer'));
expectType<Float<readonly ['batch', 'event', 'userWidth']>>()(where(mask, events, 0));
expectType<Float<readonly ['batch', 'event', 'userWidth']>>()(broadcastLike(bias, events));
// @ts-expect-error latents are not events
concat([events, latents], 'event');
// @ts-expect-error there are no tokens
concat([events, events], 'token');
// @ts-expect-error numbers are not conditions
where(counts, events, 0);
// @ts-expect-error text has no userWidth
broadcastLike(bias, text);

// Layers and losses
expectType<Float<readonly ['batch', 'event', 'userWidth']>>()(layerNorm(events, bias, bias, 1e-5));
expectType<Float<readonly ['batch', 'event', 'userWidth']>>()(dropout(events, 0.1, seed, 0));
expectType<FloatScalar>()(sparseCrossEntropy(scores, counts, { ignore: -1 }));
expectType<FloatScalar>()(linearCrossEntropy(events, table, counts));
expectType<Float<readonly ['item', 'userWidth']>>()(
  scatterAdd({} as Symbolic<'int32', readonly ['row']>, {} as Float<readonly ['row', 'userWidth']>, 'item', 9),
);
// @ts-expect-error another width
layerNorm(text, bias, bias, 1e-5);
// @ts-expect-error labels are whole numbers
sparseCrossEntropy(scores, mask);
// @ts-expect-error one label per row, not per batch
sparseCrossEntropy(scores, sum(cast(counts, 'float32'), 'event'));
// @ts-expect-error labels of other rows
sparseCrossEntropy(scores, rename(counts, 'event', 'token'));
// @ts-expect-error text is not as wide as the table
linearCrossEntropy(text, table, counts);
// @ts-expect-error a seed is a whole number
dropout(events, 0.1, sum(events), 0);

// Gradients have the types of what they are of
expectType<{ readonly up: Float<readonly ['userWidth', 'modelWidth']> }>()(
  {} as { readonly up: ReturnType<typeof gradients<{ up: typeof up }>>['up'] },
);
// @ts-expect-error a loss is one number
gradients(events, { up });

// Modules: what they are given follows from their parameters
const linear = { weight: parameter(['userWidth', 'modelWidth'], [4, 8], { kind: 'constant', value: 0 }) };
export const projection = {
  parameters: linear,
  apply: ({ weight }, x) => matmul(x, weight),
} satisfies Module<typeof linear, typeof events, Float<readonly ['batch', 'event', 'modelWidth']>>;
export const wrong: Module<typeof linear, typeof text, unknown> = {
  parameters: linear,
  // @ts-expect-error text is not userWidth wide
  apply: ({ weight }, x) => matmul(x, weight),
};
// @ts-expect-error one size too few
parameter(['userWidth', 'modelWidth'], [4], { kind: 'constant', value: 0 });

// The table's names
export const primitive: PrimitiveName = 'matmul';
// @ts-expect-error attention is made of other operators
export const composite: PrimitiveName = 'attention';
export const every: OperatorName = 'attention';
// @ts-expect-error no operator of that name
export const missing: OperatorName = 'convolution';
