import { allocate, type DType, type TypedArrayOf } from './dtype.js';
import { UserLlmError } from './errors.js';

/** The axis names of a tensor, outermost first: `readonly ['batch', 'event', 'userWidth']`. */
export type Axes = readonly string[];

/** Number of elements of a shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Strides, in elements, of a densely packed row-major tensor. */
export function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Where a tensor's elements lie in its typed array. */
export interface Layout {
  /** Elements to step per axis; row-major and dense when absent. */
  readonly strides?: readonly number[];
  /** Index of the first element. */
  readonly offset?: number;
}

/**
 * A tensor in host memory: a dtype, axis names that the compiler checks, sizes that are checked at run time, and
 * a typed array that may be shared with other views.
 *
 * @throws UserLlmError `bad-shape` when axes, sizes and data do not fit together.
 */
export class Tensor<D extends DType = DType, A extends Axes = Axes> {
  readonly dtype: D;
  readonly axes: A;
  readonly shape: readonly number[];
  /** Elements to step per axis. */
  readonly strides: readonly number[];
  /** Index in `data` of the first element. */
  readonly offset: number;
  /** The elements, perhaps among others; use `contiguous().data` where the order of `data` matters. */
  readonly data: TypedArrayOf<D>;

  constructor(dtype: D, axes: A, shape: readonly number[], data?: TypedArrayOf<D>, layout: Layout = {}) {
    check(axes, shape);
    this.dtype = dtype;
    this.axes = axes;
    this.shape = [...shape];
    this.strides = layout.strides ?? denseStrides(shape);
    this.offset = layout.offset ?? 0;
    this.data = data ?? allocate(dtype, elements(shape));
    const last =
      elements(shape) === 0
        ? this.offset - 1
        : this.strides.reduce((at, stride, axis) => at + stride * (shape[axis]! - 1), this.offset);
    const dense = layout.strides === undefined && layout.offset === undefined;
    if (last >= this.data.length || (dense && this.data.length !== elements(shape))) {
      throw new UserLlmError('bad-shape', {
        what: `tensor [${axes.join(', ')}]`,
        expected: `${elements(shape)} elements for the shape [${shape.join(', ')}]`,
        got: `${this.data.length}`,
        mend: 'Give data of that length, or correct the shape.',
      });
    }
  }

  /** Number of elements. */
  get size(): number {
    return elements(this.shape);
  }
}

function check(axes: Axes, shape: readonly number[]): void {
  if (axes.length !== shape.length || new Set(axes).size !== axes.length) {
    throw new UserLlmError('bad-shape', {
      what: 'tensor',
      expected: 'one distinct axis name per size',
      got: `axes [${axes.join(', ')}] and shape [${shape.join(', ')}]`,
      mend: 'Name every axis once; use a second name such as eventKey where the same thing occurs twice.',
    });
  }
  const wrong = shape.find((size) => !Number.isSafeInteger(size) || size < 0);
  if (wrong !== undefined) {
    throw new UserLlmError('bad-shape', {
      what: `tensor [${axes.join(', ')}]`,
      expected: 'sizes that are whole numbers from 0 up',
      got: `[${shape.join(', ')}]`,
    });
  }
}
