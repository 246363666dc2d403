import { mismatch, requireDType, requireFloat } from '../inference.js';
import { onnxDTypeCode, type OnnxEmitter } from '../onnx.js';
import { apply, applyOne, defineComposite, type CompositeOperator, type Example } from '../operator.js';
import { uniformValue } from '../passes/pattern.js';
import { multiplySizes, sameShape, sameSize, type Size } from '../size.js';
import type { Float, Symbolic, TensorType } from '../symbolic.js';
import { maximumOperator, minimumOperator, rawAdd, rawSubtract } from './arithmetic.js';
import { attentionOperator } from './attention.js';
import { rawBroadcastTo } from './broadcast.js';
import { rawAnd, rawLess, rawLessEqual } from './comparison.js';
import { scalarLike } from './elementwise.js';
import { rawGather } from './gather.js';
import { rawConcat } from './concat.js';
import { rawReshape } from './reshape.js';
import { rotaryOperator, type RotaryTables } from './rotary.js';
import { range, sizeValue } from './size-value.js';
import { rawSlice } from './slice.js';
import { takeAlongOperator } from './take-along.js';
import { rawTranspose } from './transpose.js';
import { rawWhere } from './where.js';

// B batch, T new tokens, M places of the cache, H query heads, N key heads, S head size.

/** Attributes of `cachedAttention`. */
export interface CachedAttentionAttributes {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly scale: number;
  /** How many keys back a query reads, its own included; 0 for all. */
  readonly window: number;
  /** Scores stay within this bound by tanh; 0 for no bound. */
  readonly softCap: number;
  /** Whether pairs that are turned are neighbours, where there are cosines and sines. */
  readonly interleaved: boolean;
  /** Whether a runtime may hold the scores of all pairs at once: `holdScores`. */
  readonly holdsScores: boolean;
}

function infer(inputs: readonly TensorType[], { heads, keyValueHeads }: CachedAttentionAttributes): TensorType[] {
  const [query, key, value, pastKey, pastValue, lengths, cosine, sine] = inputs;
  requireFloat('cachedAttention', query!, key!, value!, pastKey!, pastValue!);
  requireDType('cachedAttention', 'int32', lengths!);
  const [batch, time, width] = query!.shape;
  const [pastBatch, pastHeads, , size] = pastKey!.shape;
  const fits =
    query!.shape.length === 3 &&
    pastKey!.shape.length === 4 &&
    sameShape(key!.shape, value!.shape) &&
    sameShape(pastKey!.shape, pastValue!.shape) &&
    sameShape(key!.shape, [batch!, time!, multiplySizes(size!, keyValueHeads)]) &&
    sameSize(pastBatch!, batch!) &&
    sameSize(pastHeads!, keyValueHeads) &&
    sameSize(width!, multiplySizes(size!, heads)) &&
    sameShape(lengths!.shape, [batch!]) &&
    (!cosine || areTables(cosine, sine, size!));
  if (!fits) {
    throw mismatch(
      'cachedAttention',
      `queries [B, T, ${heads} heads], keys and values [B, T, ${keyValueHeads} heads], caches [B, ${keyValueHeads}, M, head size], lengths [B], and no tables or two of each position's pairs`,
      inputs,
    );
  }
  return [query!, pastKey!, pastValue!];
}

/** Whether they are cosines and sines of pairs of heads of a size, by position: `[R, P]`, all known. */
function areTables(cosine: TensorType, sine: TensorType | undefined, size: Size): boolean {
  const [rows, pairs] = cosine.shape;
  if (!sine || cosine.shape.length !== 2 || !sameShape(cosine.shape, sine.shape)) return false;
  const known = typeof size === 'number' && typeof rows === 'number' && typeof pairs === 'number';
  return known && rows > 0 && 2 * pairs <= size && cosine.dtype === sine.dtype;
}

/** `[B, M]`: how far behind the first new token each place of the cache lies; negative for what came before. */
function offsets(pastKey: Symbolic, lengths: Symbolic): Symbolic {
  const [batch, , places] = pastKey.shape;
  const place_1M = rawReshape(range('place', places!), ['batch', 'place'], [1, places!]);
  return rawSubtract(place_1M, rawReshape(lengths, ['batch', 'place'], [batch!, 1]));
}

/** Heads `[B, T, W]` turned by their positions, behind those that came before; tables are `[R, P]`. */
function turned(x: Symbolic, heads: number, lengths: Symbolic, tables: readonly Symbolic[], interleaved: boolean) {
  const [batch, time] = x.shape as readonly [Size, Size];
  const place_T = range('token', time);
  const place_BT = nothingCached(lengths)
    ? place_T
    : rawAdd(rawReshape(lengths, ['batch', 'token'], [batch, 1]), rawReshape(place_T, ['batch', 'token'], [1, time]));
  // What fills up a row may stand beyond the tables; nothing reads it.
  const last = scalarLike(place_BT, (tables[0]!.shape[0] as number) - 1);
  const within = applyOne(minimumOperator, [place_BT, last], {});
  const angles = tables.map((table) => rawGather(table, within, 0));
  return applyOne(rotaryOperator, [x, ...angles], { heads, interleaved });
}

/** `[B, N, T, S]`: new keys or values as a cache has them. */
function asCached(past: Symbolic, fresh: Symbolic): Symbolic {
  const [batch, heads, , size] = past.shape;
  const apart = rawReshape(fresh, ['batch', 'token', 'head', 'headSize'], [batch!, fresh.shape[1]!, heads!, size!]);
  return rawTranspose(apart, [0, 2, 1, 3]);
}

/** A cache that begins with the new tokens. */
function begun(past: Symbolic, fresh: Symbolic): Symbolic {
  const free = rawSlice(past, 2, fresh.shape[1]!, past.shape[2]!);
  return rawReshape(rawConcat([asCached(past, fresh), free], 2), past.axes, past.shape);
}

/** A cache with the new tokens written behind those that were there. */
function written(past: Symbolic, fresh: Symbolic, offset_BM: Symbolic): Symbolic {
  const [batch, , places] = past.shape;
  const time = fresh.shape[1] as Size;
  const zero = scalarLike(offset_BM, 0);
  const last = rawSubtract(sizeValue(time), scalarLike(offset_BM, 1));
  const within = applyOne(maximumOperator, [applyOne(minimumOperator, [offset_BM, last], {}), zero], {});
  const axes = ['batch', 'head', 'place', 'headSize'];
  const spread = (x: Symbolic): Symbolic => rawReshape(x, axes, [batch!, 1, places!, 1]);
  const indices = rawBroadcastTo(spread(within), axes, past.shape);
  const moved = applyOne(takeAlongOperator, [asCached(past, fresh), indices], { axis: 2 });
  const isNew = rawAnd(rawLessEqual(zero, offset_BM), rawLessEqual(offset_BM, last));
  return rawWhere(spread(isNew), moved, past);
}

/**
 * Causal attention of new tokens to themselves and to those before, whose keys and values are cached.
 *
 * Outputs: what the queries read, and both caches with the new keys and values in them; what lies behind those is
 * not defined.
 */
export const cachedAttentionOperator: CompositeOperator<CachedAttentionAttributes> = defineComposite({
  name: 'cachedAttention',
  infer,
  decompose: ([query, key, value, pastKey, pastValue, lengths, ...tables], attributes) => {
    const { heads, keyValueHeads, scale, window, softCap, interleaved } = attributes;
    if (tables.length > 0) {
      const [turnedQuery, turnedKey] = [
        turned(query!, heads, lengths!, tables, interleaved),
        turned(key!, keyValueHeads, lengths!, tables, interleaved),
      ];
      const inputs = [turnedQuery!, turnedKey!, value!, pastKey!, pastValue!, lengths!];
      return apply(cachedAttentionOperator, inputs, attributes);
    }
    const form = { heads, keyValueHeads, scale, softCap };
    if (nothingCached(lengths!)) {
      const mixed = applyOne(attentionOperator, [query!, key!, value!], { ...form, causal: true, window });
      return [mixed, begun(pastKey!, key!), begun(pastValue!, value!)];
    }
    const [batch, time] = query!.shape;
    const [, , places] = pastKey!.shape;
    const offset_BM = offsets(pastKey!, lengths!);
    const caches = [written(pastKey!, key!, offset_BM), written(pastValue!, value!, offset_BM)];
    const offset_B1M = rawReshape(offset_BM, ['batch', 'token', 'place'], [batch!, 1, places!]);
    const token_T1 = rawReshape(range('token', time!), ['token', 'place'], [time!, 1]);
    const behind = rawLessEqual(offset_B1M, token_T1);
    const mask_BTM =
      window === 0 ? behind : rawAnd(behind, rawLess(rawAdd(token_T1, scalarLike(token_T1, -window)), offset_B1M));
    const rows = caches.map((cache) =>
      rawReshape(rawTranspose(cache, [0, 2, 1, 3]), ['batch', 'place', 'width'], [batch!, places!, key!.shape[2]!]),
    );
    const mixed = applyOne(attentionOperator, [query!, ...rows, mask_BTM], { ...form, causal: false, window: 0 });
    return [mixed, ...caches];
  },
  onnx: (emitter, inputs, { attributes, inputs: tensors }) => {
    const { heads, keyValueHeads, scale, window, softCap, interleaved } = attributes;
    const [query, , , pastKey, , lengths, ...tables] = inputs;
    if (!isFused(query!, pastKey!, tensors[5]!, tables[0])) return undefined;
    const time = emitter.emit('Cast', [emitter.sizes([query!.shape[1]!])], {
      to: { int: onnxDTypeCode['int32']! },
    })[0]!;
    const longest = emitter.emit('ReduceMax', [lengths!.name], { keepdims: { int: 1 } })[0]!;
    const total = emitter.emit('Add', [longest, time])[0]!;
    // The places up to each sequence's last new token, less one.
    const more = emitter.emit('Sub', [time, emitter.constant('int32', [1], [1])])[0]!;
    const last = query!.shape[1] === 1 ? lengths!.name : emitter.emit('Add', [lengths!.name, more])[0]!;
    const names = [...inputs.slice(0, 5).map(({ name }) => name), last, total, ...tables.map(({ name }) => name)];
    return emitter.emit(
      'GroupQueryAttention',
      attributes.holdsScores
        ? [...names, ...Array<undefined>(sinkInput - names.length), noSink(emitter, heads)]
        : names,
      {
        num_heads: { int: heads },
        kv_num_heads: { int: keyValueHeads },
        scale: { float: scale },
        ...(window === 0 ? {} : { local_window_size: { int: window } }),
        ...(softCap === 0 ? {} : { softcap: { float: softCap } }),
        ...(tables.length > 0 && { do_rotary: { int: 1 }, rotary_interleaved: { int: interleaved ? 1 : 0 } }),
      },
      { domain: 'com.microsoft', outputs: 3 },
    );
  },
  examples: [
    cachedExample('one token, unequal pasts', { batch: 2, time: 1, places: 6, size: 16, lengths: [0, 4] }, {}),
    cachedExample('shared key heads', { batch: 2, time: 1, places: 5, size: 16, lengths: [3, 1] }, { heads: 4 }),
    cachedExample('window', { batch: 1, time: 1, places: 6, size: 16, lengths: [5] }, { window: 3 }),
    cachedExample('bounded scores', { batch: 1, time: 1, places: 3, size: 16, lengths: [1] }, { softCap: 0.5 }),
    cachedExample('several tokens', { batch: 2, time: 3, places: 6, size: 4, lengths: [0, 2] }, {}),
    cachedExample('several tokens, window', { batch: 1, time: 2, places: 5, size: 4, lengths: [2] }, { window: 2 }),
    cachedExample(
      'several tokens, bounded scores',
      { batch: 1, time: 2, places: 4, size: 4, lengths: [1] },
      { softCap: 1 },
    ),
    cachedExample('one token, turned', { batch: 2, time: 1, places: 6, size: 16, lengths: [0, 4], pairs: 8 }, {}),
    cachedExample(
      'one token, turned by neighbours, shared key heads',
      { batch: 2, time: 1, places: 5, size: 32, lengths: [3, 1], pairs: 8 },
      { heads: 4, interleaved: true },
    ),
    cachedExample('several tokens, turned', { batch: 2, time: 3, places: 6, size: 4, lengths: [0, 2], pairs: 2 }, {}),
    cachedExample('no batch', { batch: 0, time: 2, places: 4, size: 4, lengths: [] }, {}),
    cachedExample('one token, odd head size', { batch: 1, time: 1, places: 4, size: 6, lengths: [2] }, {}),
  ],
});

/** Place of `head_sink` among the inputs of ONNX Runtime's operator. */
const sinkInput = 11;

/**
 * A sink for each head that takes no attention. With one, ONNX Runtime computes all scores of a head by one product,
 * where it goes block by block without.
 */
function noSink(emitter: OnnxEmitter, heads: number): string {
  return emitter.constant('float32', [heads], Array<number>(heads).fill(-1e30));
}

/** Whether it is known when the graph is built that no token came before. */
function nothingCached(lengths: Symbolic): boolean {
  return uniformValue(lengths) === 0;
}

/**
 * Whether ONNX Runtime's operator takes it: head sizes that are multiples of 16, one new token for each user or any
 * number where nothing is cached, and multiples of 8 pairs where heads are turned.
 */
function isFused(
  query: Pick<TensorType, 'shape'>,
  pastKey: Pick<TensorType, 'shape'>,
  lengths: Symbolic,
  cosine: Pick<TensorType, 'shape'> | undefined,
): boolean {
  const size = pastKey.shape[3];
  const turns = !cosine || (cosine.shape[1] as number) % 8 === 0;
  return typeof size === 'number' && size % 16 === 0 && turns && (query.shape[1] === 1 || nothingCached(lengths));
}

/**
 * The cache that ONNX Runtime writes this tensor onto when a run is given one value for both: the past of a
 * `cachedAttention` that its fused operator takes; `undefined` for any other tensor.
 */
export function cacheWrittenInPlace({ node, output }: Symbolic): Symbolic | undefined {
  if ((node.operator as unknown) !== cachedAttentionOperator || output === 0) return undefined;
  const [query, , , pastKey, pastValue, lengths] = node.inputs;
  // Heads that it cannot turn are turned before it.
  if (!isFused(query!, pastKey!, lengths!, undefined)) return undefined;
  return output === 1 ? pastKey : pastValue;
}

interface ExampleSizes {
  readonly batch: number;
  readonly time: number;
  readonly places: number;
  readonly size: number;
  readonly lengths: readonly number[];
  /** Pairs of a head that are turned; none when absent. */
  readonly pairs?: number;
}

function cachedExample(
  name: string,
  { batch, time, places, size, lengths, pairs }: ExampleSizes,
  more: Partial<CachedAttentionAttributes>,
): Example<CachedAttentionAttributes> {
  const attributes = {
    heads: 2,
    keyValueHeads: 2,
    scale: 0.5,
    window: 0,
    softCap: 0,
    interleaved: false,
    holdsScores: false,
    ...more,
  };
  const fresh = { shape: [batch, time, attributes.keyValueHeads * size] };
  const past = { shape: [batch, attributes.keyValueHeads, places, size] };
  return {
    name,
    inputs: [
      { shape: [batch, time, attributes.heads * size] },
      fresh,
      fresh,
      past,
      past,
      { dtype: 'int32', shape: [batch], values: lengths },
      ...(pairs === undefined ? [] : [{ shape: [places, pairs] }, { shape: [places, pairs] }]),
    ],
    attributes,
    judged: 1,
  };
}

/** A cache of keys or values: `[B, N, M, S]`, filled from the first place on. */
export type KeyValueCache<B extends string> = Float<readonly [B, 'keyValueHead', 'place', 'headSize']>;

/** How `cachedAttention` reads. */
export interface CachedAttentionOptions {
  readonly heads: number;
  readonly keyValueHeads?: number;
  /** What scores are multiplied with, `1 / sqrt(headSize)` unless told. */
  readonly scale?: number;
  /** How many keys back a query reads, its own included. */
  readonly window?: number;
  /** Bound on scores, `softCap * tanh(score / softCap)`. */
  readonly softCap?: number;
  /** Turns queries and keys by their positions first; they must be in the tables. */
  readonly rotary?: RotaryTables;
}

/**
 * Causal attention of new tokens to themselves and to the tokens before, from a cache of keys and values.
 *
 * @param query `[B, T, H*S]`, the new tokens; turned already, or turned here by `rotary`.
 * @param key `[B, T, N*S]`, and `value` the same.
 * @param caches Keys and values of the tokens before, `[B, N, M, S]`; T places behind `lengths` must be free.
 * @param lengths `[B]`, how many tokens came before; a constant 0 where none did, since less is computed then.
 * @returns What the queries read, `[B, T, H*S]`, and the caches with the new tokens in them.
 */
export function cachedAttention<B extends string, T extends string, W extends string, KW extends string>(
  query: Float<readonly [B, T, W]>,
  key: Float<readonly [NoInfer<B>, NoInfer<T>, KW]>,
  value: Float<readonly [NoInfer<B>, NoInfer<T>, NoInfer<KW>]>,
  caches: { readonly keys: KeyValueCache<NoInfer<B>>; readonly values: KeyValueCache<NoInfer<B>> },
  lengths: Symbolic<'int32', readonly [NoInfer<B>]>,
  { heads, keyValueHeads = heads, scale, window = 0, softCap = 0, rotary }: CachedAttentionOptions,
): { readonly mixed: Float<readonly [B, T, W]>; readonly keys: KeyValueCache<B>; readonly values: KeyValueCache<B> } {
  const size = caches.keys.shape[3];
  if (typeof size !== 'number')
    throw mismatch('cachedAttention', 'a head size known when the graph is built', [caches.keys]);
  const interleaved = rotary?.interleaved ?? false;
  const attributes = {
    heads,
    keyValueHeads,
    scale: scale ?? size ** -0.5,
    window,
    softCap,
    interleaved,
    holdsScores: false,
  };
  const tables = rotary ? [rotary.cosine, rotary.sine] : [];
  const inputs = [query, key, value, caches.keys, caches.values, lengths, ...tables] as readonly Symbolic[];
  const [mixed, keys, values] = apply(cachedAttentionOperator, inputs, attributes);
  return {
    mixed: mixed as Float<readonly [B, T, W]>,
    keys: keys as KeyValueCache<B>,
    values: values as KeyValueCache<B>,
  };
}
