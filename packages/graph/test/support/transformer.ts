import { Tensor, type Id } from '@user-llm/tensor';
import {
  add,
  attention,
  constant,
  differentiate,
  dropout,
  embed,
  geluTanh,
  graph,
  input,
  layerNorm,
  matmul,
  matmulTransposed,
  parameter,
  parameterInputs,
  sparseCrossEntropy,
  symbol,
  type Graph,
  type Size,
} from '../../src/index.js';

/** Sizes of the small language model that tests of whole graphs use. */
export interface TransformerSizes {
  readonly batch: Size;
  readonly tokens: Size;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly dropout?: number;
}

export const tiny: TransformerSizes = { batch: 2, tokens: 3, width: 4, heads: 2, layers: 1, vocabulary: 5 };
export const symbolic: TransformerSizes = { ...tiny, batch: symbol('batch'), tokens: symbol('token') };

const normal = { kind: 'normal', standardDeviation: 0.5 } as const;
const one = { kind: 'constant', value: 1 } as const;

function layerParameters(width: number) {
  const square = parameter(['width', 'inner'], [width, width], normal);
  return {
    norm: parameter(['width'], [width], one),
    query: square,
    key: square,
    value: square,
    output: parameter(['inner', 'width'], [width, width], normal),
    feedNorm: parameter(['width'], [width], one),
    up: parameter(['width', 'wide'], [width, 4 * width], normal),
    down: parameter(['wide', 'width'], [4 * width, width], normal),
  };
}

/** A language model of pre-norm layers with a tied head: its loss and the gradients of all parameters. */
export function transformerGraph(sizes: TransformerSizes): Graph {
  const { batch, tokens, width, heads, layers, vocabulary } = sizes;
  const { tree, named } = parameterInputs({
    table: parameter(['token', 'width'], [vocabulary, width], normal),
    layers: Object.fromEntries(Array.from({ length: layers }, (_, at) => [`layer${at}`, layerParameters(width)])),
  });
  const ids = input('ids', 'int32' as Id<'token'>, ['batch', 'position'], [batch, tokens]);
  const labels = input('labels', 'int32', ['batch', 'position'], [batch, tokens]);
  const seed = input('seed', 'int32', [], []);
  let stream = embed(tree.table, ids);
  Object.values(tree.layers).forEach((layer, at) => {
    const normed = layerNorm(stream, layer.norm, undefined, 1e-5);
    const mixed = attention(matmul(normed, layer.query), matmul(normed, layer.key), matmul(normed, layer.value), {
      heads,
      causal: true,
    });
    stream = add(stream, dropout(matmul(mixed, layer.output), sizes.dropout ?? 0, seed, at));
    const wide = geluTanh(matmul(layerNorm(stream, layer.feedNorm, undefined, 1e-5), layer.up));
    stream = add(stream, matmul(wide, layer.down));
  });
  const none = constant(new Tensor('float32', [], [], Float32Array.of(0)));
  const logits = add(matmulTransposed(stream, tree.table), none);
  const loss = sparseCrossEntropy(logits, labels, { ignore: 2 });
  const derived = differentiate(loss, named);
  const slopes = Object.entries(derived.gradients).map(([name, slope]) => [`gradient/${name}`, slope] as const);
  return graph([ids, labels, seed, ...Object.values(named)], { loss: derived.loss, ...Object.fromEntries(slopes) });
}
