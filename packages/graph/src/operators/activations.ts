import type { Axes } from '@user-llm/tensor';
import { requireFloat } from '../inference.js';
import { applyOne, defineComposite, type CompositeOperator } from '../operator.js';
import type { Float, Symbolic } from '../symbolic.js';
import { rawAdd, rawMultiply, rawSubtract } from './arithmetic.js';
import {
  errorFunctionOperator,
  exponentialOperator,
  scalarLike,
  sigmoidOperator,
  tanhOperator,
  type NoAttributes,
} from './elementwise.js';

interface ActivationDefinition {
  readonly name: string;
  readonly value: (x: Symbolic) => Symbolic;
  /** The derivative at x. */
  readonly slope: (x: Symbolic) => Symbolic;
  readonly onnx: NonNullable<CompositeOperator<NoAttributes>['onnx']>;
}

function activation({ name, value, slope, onnx }: ActivationDefinition): CompositeOperator<NoAttributes> {
  return defineComposite<NoAttributes>({
    name,
    infer: ([x]) => {
      requireFloat(name, x!);
      return [x!];
    },
    decompose: ([x]) => [value(x!)],
    gradient: ({ inputs: [x] }, [g]) => [g && rawMultiply(g, slope(x!))],
    onnx,
    examples: [
      { name: 'matrix', inputs: [{ shape: [3, 4] }], attributes: {} },
      { name: 'far out', inputs: [{ shape: [4], values: [-12, 12, 0, -0.5] }], attributes: {} },
      { name: 'size 1', inputs: [{ shape: [1, 1] }], attributes: {} },
      { name: 'empty', inputs: [{ shape: [0, 4] }], attributes: {} },
    ],
  });
}

const times = (x: Symbolic, factor: number): Symbolic => rawMultiply(x, scalarLike(x, factor));
const plus = (x: Symbolic, term: number): Symbolic => rawAdd(x, scalarLike(x, term));

/** Half of one plus the error function of x / sqrt(2): the normal distribution up to x. */
const normalBelow = (x: Symbolic): Symbolic =>
  times(plus(applyOne(errorFunctionOperator, [times(x, Math.SQRT1_2)], {}), 1), 0.5);
const normalDensity = (x: Symbolic): Symbolic =>
  times(applyOne(exponentialOperator, [times(rawMultiply(x, x), -0.5)], {}), 1 / Math.sqrt(2 * Math.PI));

export const geluOperator = activation({
  name: 'gelu',
  value: (x) => rawMultiply(x, normalBelow(x)),
  slope: (x) => rawAdd(normalBelow(x), rawMultiply(x, normalDensity(x))),
  onnx: (emitter, [x]) => emitter.emit('Gelu', [x!.name], {}, { domain: 'com.microsoft' }),
});

const slopeAtZero = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;
const bent = (x: Symbolic): Symbolic =>
  applyOne(tanhOperator, [times(rawMultiply(x, plus(times(rawMultiply(x, x), cubic), 1)), slopeAtZero)], {});

export const geluTanhOperator = activation({
  name: 'geluTanh',
  value: (x) => rawMultiply(times(x, 0.5), plus(bent(x), 1)),
  slope: (x) => {
    const t = bent(x);
    const inner = times(plus(times(rawMultiply(x, x), 3 * cubic), 1), slopeAtZero);
    const curved = rawMultiply(rawMultiply(x, rawSubtract(scalarLike(t, 1), rawMultiply(t, t))), inner);
    return times(rawAdd(plus(t, 1), curved), 0.5);
  },
  onnx: (emitter, [x]) => emitter.emit('FastGelu', [x!.name], {}, { domain: 'com.microsoft' }),
});

export const siluOperator = activation({
  name: 'silu',
  value: (x) => rawMultiply(x, applyOne(sigmoidOperator, [x], {})),
  slope: (x) => {
    const s = applyOne(sigmoidOperator, [x], {});
    return rawMultiply(s, plus(rawMultiply(x, rawSubtract(scalarLike(s, 1), s)), 1));
  },
  onnx: (emitter, [x]) => emitter.emit('QuickGelu', [x!.name], { alpha: { float: 1 } }, { domain: 'com.microsoft' }),
});

/** The Gaussian error linear unit, `x * Phi(x)`, exact (Hendrycks and Gimpel 2016). */
export function gelu<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(geluOperator, [x], {}) as Float<A>;
}

/** The tanh approximation of the Gaussian error linear unit, as GPT-2 and Gemma use it. */
export function geluTanh<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(geluTanhOperator, [x], {}) as Float<A>;
}

/** `x * sigmoid(x)`, also called swish. */
export function silu<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(siluOperator, [x], {}) as Float<A>;
}
