import type { Axes } from '@user-llm/tensor';
import { mismatch, requireDType, requireFloat } from '../inference.js';
import { applyOne, defineComposite, type Example } from '../operator.js';
import { multiplySizes, sameSize, subtractSizes, type Size } from '../size.js';
import type { Float, Symbolic, TensorType } from '../symbolic.js';
import { rawAdd, rawMultiply } from './arithmetic.js';
import { rawCast } from './cast.js';
import { rawAnd, rawLess, rawLessEqual } from './comparison.js';
import { scalarLike, softCap } from './elementwise.js';
import { rawMatmul } from './matmul.js';
import { rawReshape } from './reshape.js';
import { range, sizeValue } from './size-value.js';
import { rawSoftmax } from './softmax.js';
import { rawTranspose } from './transpose.js';
import { rawWhere } from './where.js';

// B batch, Q queries, K keys, H query heads, G query heads per key head, N key heads (H = G * N), S head size.

/** Attributes of `attention`. */
export interface AttentionAttributes {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly scale: number;
  /** Whether a query reads only keys up to its own place; the last query stands beside the last key. */
  readonly causal: boolean;
  /** With `causal`, how many keys back a query reads, its own included; 0 for all. */
  readonly window: number;
  /** Scores stay within this bound by tanh; 0 for no bound. */
  readonly softCap: number;
}

/** What a score that must not count is lowered by. */
const veto = -1e30;

function inferAttention(
  [query, key, value, mask]: readonly TensorType[],
  { heads, keyValueHeads }: AttentionAttributes,
): TensorType[] {
  const types = [query!, key!, value!];
  requireFloat('attention', ...types);
  const width = (type: TensorType): Size => type.shape.at(-1)!;
  const fits =
    types.every(({ shape }) => shape.length === 3) &&
    heads % keyValueHeads === 0 &&
    sameSize(multiplySizes(width(query!), keyValueHeads), multiplySizes(width(key!), heads)) &&
    sameSize(width(key!), width(value!)) &&
    sameSize(key!.shape[1]!, value!.shape[1]!);
  if (!fits) {
    throw mismatch('attention', `[B, Q, ${heads} heads], and keys and values [B, K, ${keyValueHeads} heads]`, types);
  }
  if (mask) {
    requireDType('attention', 'bool', mask);
    const asked = [query!.shape[0]!, query!.shape[1]!, key!.shape[1]!];
    const masks =
      mask.shape.length === 3 && mask.shape.every((size, at) => sameSize(size, asked[at]!) || sameSize(size, 1));
    if (!masks) throw mismatch('attention', `a mask of [${asked.join(', ')}], each size that or 1`, [mask]);
  }
  return [query!];
}

/** Which keys each query may read by its place, `[Q, K]`. */
function places(query: Size, key: Size, window: number): Symbolic {
  const last = sizeValue(subtractSizes(key, query));
  const own = rawAdd(rawReshape(range('query', query), ['query', 'key'], [query, 1]), last);
  const keys = range('key', key);
  const behind = rawLessEqual(keys, own);
  return window === 0 ? behind : rawAnd(behind, rawLess(rawAdd(own, scalarLike(own, -window)), keys));
}

/** `[B, T, H*S]` as `[B, H, T, S]`. */
function splitHeads(x: Symbolic, heads: number): Symbolic {
  const [batch, time, width] = x.shape;
  const size = (width as number) / heads;
  return rawTranspose(
    rawReshape(x, [x.axes[0]!, x.axes[1]!, 'head', 'headSize'], [batch!, time!, heads, size]),
    [0, 2, 1, 3],
  );
}

/** Scaled dot-product attention of several heads (Vaswani et al. 2017), with shared key heads (Ainslie et al. 2023). */
export const attentionOperator = defineComposite<AttentionAttributes>({
  name: 'attention',
  infer: inferAttention,
  decompose: ([query, key, value, mask], { heads, keyValueHeads, scale, causal, window, softCap: cap }) => {
    const [batch, queries, width] = query!.shape;
    const keys = key!.shape[1]!;
    const group = heads / keyValueHeads;
    const size = (width as number) / heads;
    const q_BHQS = splitHeads(query!, heads);
    const q_BNRS = rawReshape(
      q_BHQS,
      ['batch', 'head', 'row', 'headSize'],
      [batch!, keyValueHeads, multiplySizes(queries!, group), size],
    );
    const k_BNKS = splitHeads(key!, keyValueHeads);
    const v_BNKS = splitHeads(value!, keyValueHeads);
    const scores_BNRK = rawMatmul(q_BNRS, k_BNKS, { transposeRight: true, scale });
    const bounded = cap === 0 ? scores_BNRK : softCap(scores_BNRK as Float, cap);
    const scores_BHQK = rawReshape(bounded, ['batch', 'head', 'query', 'key'], [batch!, heads, queries!, keys]);
    const mask_B1QK =
      mask && rawReshape(mask, ['batch', 'head', 'query', 'key'], [mask.shape[0]!, 1, mask.shape[1]!, mask.shape[2]!]);
    const may_QK = causal ? places(queries!, keys, window) : undefined;
    const may = mask_B1QK && may_QK ? rawAnd(mask_B1QK, may_QK) : (mask_B1QK ?? may_QK);
    const vetoed = may
      ? rawAdd(scores_BHQK, rawWhere(may, scalarLike(scores_BHQK, 0), scalarLike(scores_BHQK, veto)))
      : scores_BHQK;
    const weights = rawSoftmax(vetoed);
    // A query that may read nothing gets zeros, not the mean of what it must not read.
    const weights_BHQK = mask ? rawMultiply(weights, rawCast(may!, weights.dtype)) : weights;
    const weights_BNRK = rawReshape(weights_BHQK, scores_BNRK.axes, scores_BNRK.shape);
    const mixed_BHQS = rawReshape(rawMatmul(weights_BNRK, v_BNKS), q_BHQS.axes, q_BHQS.shape);
    return [rawReshape(rawTranspose(mixed_BHQS, [0, 2, 1, 3]), query!.axes, query!.shape)];
  },
  onnx: (
    emitter,
    [query, key, value, mask],
    { attributes: { heads, keyValueHeads, scale, causal, window, softCap: cap } },
  ) => {
    // ONNX Runtime's fused form shares no key heads, bounds no scores, and gives a query that may read nothing the
    // mean of all values. Its causal form counts from the first key, ours from the last.
    const equalPlaces = sameSize(query!.shape[1]!, key!.shape[1]!);
    const empty = [query!, key!].some(({ shape }) => shape.includes(0));
    const applies = keyValueHeads === heads && cap === 0 && window === 0 && !mask && (!causal || equalPlaces) && !empty;
    if (!applies || query!.dtype !== 'float32') return undefined;
    return emitter.emit(
      'MultiHeadAttention',
      [query!.name, key!.name, value!.name],
      { num_heads: { int: heads }, scale: { float: scale }, unidirectional: { int: causal ? 1 : 0 } },
      { domain: 'com.microsoft' },
    );
  },
  examples: [
    attentionExample('full', [2, 3, 4], [2, 5, 4], { heads: 2 }),
    attentionExample('causal', [2, 4, 4], [2, 4, 4], { heads: 2, causal: true }),
    attentionExample('causal after a past', [1, 2, 4], [1, 5, 4], { heads: 1, causal: true }),
    attentionExample('window', [1, 5, 4], [1, 5, 4], { heads: 2, causal: true, window: 2 }),
    attentionExample('shared key heads', [2, 3, 8], [2, 3, 4], { heads: 4, keyValueHeads: 2, causal: true }),
    attentionExample('bounded scores', [1, 3, 4], [1, 3, 4], { heads: 1, softCap: 2 }),
    attentionExample('mask', [2, 2, 4], [2, 3, 4], { heads: 2 }, { shape: [2, 1, 3], values: [1, 0, 1, 0, 0, 0] }),
    attentionExample(
      'mask and causal',
      [1, 3, 4],
      [1, 3, 4],
      { heads: 1, causal: true },
      { shape: [1, 1, 3], values: [0, 1, 1] },
    ),
    attentionExample('no batch', [0, 3, 4], [0, 5, 4], { heads: 2 }),
  ],
});

function attentionExample(
  name: string,
  query: readonly number[],
  key: readonly number[],
  attributes: Partial<AttentionAttributes> & { readonly heads: number },
  mask?: { readonly shape: readonly number[]; readonly values: readonly number[] },
): Example<AttentionAttributes> {
  return {
    name,
    inputs: [{ shape: query }, { shape: key }, { shape: key }, ...(mask ? [{ dtype: 'bool' as const, ...mask }] : [])],
    attributes: { keyValueHeads: attributes.heads, scale: 0.5, causal: false, window: 0, softCap: 0, ...attributes },
  };
}

/** How `attention` reads. */
export interface AttentionOptions {
  /** Query heads; they divide the width of the queries. */
  readonly heads: number;
  /** Key and value heads, each shared by as many query heads; as many as query heads unless told. */
  readonly keyValueHeads?: number;
  /** What scores are multiplied with, `1 / sqrt(headSize)` unless told. */
  readonly scale?: number;
  /** Whether a query reads only keys up to its own place; the last query stands beside the last key. */
  readonly causal?: boolean;
  /** With `causal`, how many keys back a query reads, its own included. */
  readonly window?: number;
  /** Bound on scores, `softCap * tanh(score / softCap)`. */
  readonly softCap?: number;
}

/**
 * Scaled dot-product attention of several heads; a query whose mask lets it read nothing gets zeros.
 *
 * @param query `[B, Q, H*S]`
 * @param key `[B, K, N*S]`, and `value` the same.
 * @param mask `[B, Q, K]`, true where a query may read a key; any of its sizes may be 1.
 * @returns `[B, Q, H*S]`
 * @throws UserLlmError `shape-mismatch` when heads and widths do not fit.
 */
export function attention<B extends string, Q extends string, K extends string, W extends string, KW extends string>(
  query: Float<readonly [B, Q, W]>,
  key: Float<readonly [NoInfer<B>, K, KW]>,
  value: Float<readonly [NoInfer<B>, NoInfer<K>, NoInfer<KW>]>,
  options: AttentionOptions,
  mask?: Symbolic<'bool', Axes>,
): Float<readonly [B, Q, W]> {
  const { heads, keyValueHeads = heads, causal = false, window = 0, softCap: cap = 0 } = options;
  const width = query.shape.at(-1);
  if (typeof width !== 'number' || width % heads !== 0) {
    throw mismatch('attention', `a query width, known when the graph is built, that ${heads} heads divide`, [query]);
  }
  const attributes = {
    heads,
    keyValueHeads,
    scale: options.scale ?? (width / heads) ** -0.5,
    causal,
    window,
    softCap: cap,
  };
  const inputs = mask ? [query, key, value, mask] : [query, key, value];
  return applyOne(attentionOperator, inputs, attributes) as Float<readonly [B, Q, W]>;
}
