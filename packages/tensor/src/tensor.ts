import type { Axes, Covers, Dropped, PerAxis, Permutes, Renamed, Swapped } from './axes.js';
import { convert } from './convert.js';
import { allocate, typedArrayName, type DType, type TypedArray, type TypedArrayOf } from './dtype.js';
import { decodeElement, type ElementOf } from './element.js';
import { UserLlmError } from './errors.js';
import { checkPlacement, denseStrides, elements, isDense, rowStarts, type Layout } from './layout.js';
import { printTensor } from './print.js';
import { axisOf, checkAxes, checkIndex, inferSize, wrongAxes } from './shape-checks.js';

/** Arrays in arrays, as deep as there are axes. */
export type Nested<E> = E | readonly Nested<E>[];

/**
 * A tensor in host memory: a dtype, axis names that the compiler checks, sizes that are checked at run time, and
 * a typed array that may be shared with other views.
 *
 * Methods that only move or choose axes return views: they share `data`, so writing into one shows in the other.
 * They copy nothing, except where their documentation says so.
 */
export class Tensor<D extends DType = DType, const A extends Axes = Axes> {
  readonly dtype: D;
  readonly axes: A;
  /** Size of each axis. */
  readonly shape: readonly number[];
  /** Elements to step per axis. */
  readonly strides: readonly number[];
  /** Index in `data` of the first element. */
  readonly offset: number;
  /** The elements, perhaps among others; use `contiguous().data` where the order of `data` matters. */
  readonly data: TypedArrayOf<D>;

  /**
   * @param axes One distinct name per axis, outermost first.
   * @param shape The size of each axis.
   * @param data The elements, not copied; zeros when absent.
   * @param layout Where in `data` they are; all of it, row-major, when absent.
   * @throws UserLlmError `bad-shape` when axes, shape and data do not fit together, `bad-layout` when the layout
   * reaches outside `data`, `dtype-mismatch` when `data` is not the typed array of the dtype.
   */
  constructor(dtype: D, axes: A, shape: readonly number[], data?: TypedArrayOf<D>, layout: Layout = {}) {
    checkAxes(axes, shape);
    this.dtype = dtype;
    this.axes = axes;
    this.shape = [...shape];
    this.strides = layout.strides ? [...layout.strides] : denseStrides(shape);
    this.offset = layout.offset ?? 0;
    this.data = data ?? allocate(dtype, elements(shape));
    const what = `tensor [${axes.join(', ')}]`;
    if (this.data[Symbol.toStringTag] !== typedArrayName(dtype)) {
      throw new UserLlmError('dtype-mismatch', {
        what,
        expected: `${typedArrayName(dtype)} for ${dtype}`,
        got: this.data[Symbol.toStringTag],
        mend: 'Give the typed array of that dtype, or cast.',
      });
    }
    if (layout.strides || layout.offset !== undefined) {
      checkPlacement(what, this, this.data.length);
    } else if (this.data.length !== elements(shape)) {
      throw new UserLlmError('bad-shape', {
        what,
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

  /** Whether the elements lie one after the other in row-major order. */
  get isDense(): boolean {
    return isDense(this);
  }

  /**
   * The size of one axis.
   *
   * @throws UserLlmError `unknown-axis` when there is none of that name.
   */
  sizeOf(axis: A[number]): number {
    return this.shape[axisOf('sizeOf', this, axis)]!;
  }

  /** The same elements with axes in another order. */
  permute<const B extends Axes>(axes: B & Permutes<A, B>): Tensor<D, B> {
    if (axes.length !== this.axes.length) {
      throw wrongAxes('permute', this.axes, axes);
    }
    const order = axes.map((axis) => axisOf('permute', this, axis));
    return this.view<B>(
      axes,
      order.map((axis) => this.shape[axis]!),
      order.map((axis) => this.strides[axis]!),
    );
  }

  /** The same elements with two axes in each other's place. */
  transpose<First extends A[number], Second extends A[number]>(
    first: First,
    second: Second,
  ): Tensor<D, Swapped<A, First, Second>> {
    const swapped = this.axes.map((axis) => (axis === first ? second : axis === second ? first : axis));
    axisOf('transpose', this, first);
    axisOf('transpose', this, second);
    return (this as Tensor<D>).permute(swapped) as Tensor<D, Axes> as Tensor<D, Swapped<A, First, Second>>;
  }

  /** The same elements with one axis under another name. */
  rename<From extends A[number], To extends string>(from: From, to: To): Tensor<D, Renamed<A, From, To>> {
    const axis = axisOf('rename', this, from);
    const axes = this.axes.with(axis, to) as Axes as Renamed<A, From, To>;
    return this.view(axes, this.shape, this.strides);
  }

  /**
   * Elements `start` up to, without, `end` of one axis, every `step`-th of them.
   *
   * @param start From 0 to the axis's size.
   * @param end From `start` to the axis's size, which it is when absent.
   * @param step From 1; 1 when absent.
   * @throws UserLlmError `unknown-axis`, or `out-of-range` for other numbers.
   */
  slice(axis: A[number], start: number, end?: number, step = 1): Tensor<D, A> {
    const at = axisOf('slice', this, axis);
    const size = this.shape[at]!;
    const stop = end ?? size;
    checkIndex('slice start', axis, start, size);
    checkIndex('slice end', axis, stop, size, start);
    checkIndex('slice step', axis, step, Infinity, 1);
    const count = Math.ceil((stop - start) / step);
    const shape = this.shape.with(at, count);
    const strides = this.strides.with(at, this.strides[at]! * step);
    return this.view(this.axes, shape, strides, start * this.strides[at]!);
  }

  /**
   * What is at one index of an axis: a tensor without that axis.
   *
   * @throws UserLlmError `unknown-axis`, or `out-of-range` when there is no such index.
   */
  select<Name extends A[number]>(axis: Name, index: number): Tensor<D, Dropped<A, Name>> {
    const at = axisOf('select', this, axis);
    checkIndex('select', axis, index, this.shape[at]! - 1);
    const axes = this.axes.toSpliced(at, 1) as Axes as Dropped<A, Name>;
    return this.view(axes, this.shape.toSpliced(at, 1), this.strides.toSpliced(at, 1), index * this.strides[at]!);
  }

  /**
   * The same elements, in row-major order, under other axes: a view when this tensor is dense, else a copy.
   *
   * @param shape The new sizes; one of them may be -1: whatever is left.
   * @throws UserLlmError `bad-shape` when the number of elements would change.
   */
  reshape<const B extends Axes>(axes: B, shape: readonly number[]): Tensor<D, B> {
    const sizes = inferSize(this, shape);
    checkAxes(axes, sizes);
    const { data, offset } = this.isDense ? this : this.contiguous();
    return new Tensor<D, B>(this.dtype, axes, sizes, data, { offset });
  }

  /**
   * The same elements repeated along axes that this tensor lacks, or where its size is 1, without a copy: axes are
   * matched by name, not by position.
   *
   * @throws UserLlmError `bad-shape` when an axis is missing or of another size.
   */
  broadcast<const B extends Axes>(axes: B & Covers<A, B>, shape: readonly number[]): Tensor<D, B> {
    checkAxes(axes, shape);
    if (this.axes.some((axis) => !axes.includes(axis))) {
      throw wrongAxes('broadcast', this.axes, axes);
    }
    const strides = axes.map((axis, index) => {
      const at = this.axes.indexOf(axis);
      if (at < 0 || this.shape[at] === 1) {
        return 0;
      }
      if (this.shape[at] !== shape[index]) {
        throw new UserLlmError('bad-shape', {
          what: `broadcast ${axis}`,
          expected: `size ${this.shape[at]}, or a tensor of size 1 there`,
          got: `${shape[index]}`,
        });
      }
      return this.strides[at]!;
    });
    return this.view<B>(axes, shape, strides);
  }

  /** This tensor with `data` that holds its elements, in row-major order, and nothing else: copied if it must be. */
  contiguous(): Tensor<D, A> {
    const { size, offset } = this;
    if (this.isDense) {
      return this.data.length === size
        ? this
        : new Tensor(this.dtype, this.axes, this.shape, this.data.subarray(offset, offset + size) as TypedArrayOf<D>);
    }
    return this.copy();
  }

  /** A tensor of its own with the same elements, in row-major order. */
  copy(): Tensor<D, A> {
    const { shape, strides } = this;
    const data = this.data as Float64Array; // any of the typed arrays: elements only move
    const copied = allocate(this.dtype, this.size);
    const target = copied as TypedArray as Float64Array;
    const row = shape.at(-1) ?? 1;
    const stride = strides.at(-1) ?? 1;
    let at = 0;
    for (const start of rowStarts(this)) {
      if (stride === 1) {
        target.set(data.subarray(start, start + row), at);
        at += row;
      } else {
        for (let column = 0, from = start; column < row; column++, from += stride) {
          target[at++] = data[from]!;
        }
      }
    }
    return new Tensor(this.dtype, this.axes, shape, copied);
  }

  /**
   * One element.
   *
   * @param index One index per axis.
   * @throws UserLlmError `out-of-range` when there is no such element.
   */
  at(...index: PerAxis<A, number>): ElementOf<D> {
    if (index.length !== this.axes.length) {
      throw wrongAxes('at', this.axes, index.map(String));
    }
    let at = this.offset;
    for (const [axis, name] of this.axes.entries()) {
      checkIndex('at', name, index[axis]!, this.shape[axis]! - 1);
      at += index[axis]! * this.strides[axis]!;
    }
    return decodeElement(this.dtype, this.data[at]!);
  }

  /** All elements in row-major order. */
  toArray(): ElementOf<D>[] {
    return Array.from<number | bigint, ElementOf<D>>(this.contiguous().data, (stored) =>
      decodeElement(this.dtype, stored),
    );
  }

  /** All elements as arrays in arrays, one level per axis; the element itself where there are no axes. */
  toNested(): Nested<ElementOf<D>> {
    let level: Nested<ElementOf<D>>[] = this.toArray();
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      const size = this.shape[axis]!;
      const rows = elements(this.shape.slice(0, axis));
      const inner = level;
      level = Array.from({ length: rows }, (_, row) => inner.slice(row * size, (row + 1) * size));
    }
    return level[0]!;
  }

  /**
   * The same elements as another dtype; this tensor itself when it has that dtype already.
   *
   * Floats are rounded to nearest, ties to even; reals are cut towards zero to become integers; whatever is not zero
   * becomes true.
   *
   * @throws UserLlmError `out-of-range` for a value that the integer dtype cannot hold.
   */
  cast<To extends DType>(dtype: To): Tensor<To, A> {
    if ((dtype as DType) === this.dtype) {
      return this as Tensor<DType, A> as Tensor<To, A>;
    }
    return new Tensor(dtype, this.axes, this.shape, convert(this.dtype, this.contiguous().data, dtype));
  }

  /** The dtype, the axes with their sizes, and the elements, the middle of long axes left out. */
  toString(): string {
    return printTensor(this);
  }

  /** How Node.js and its consoles show a tensor. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Tensor ${this.toString()}`;
  }

  private view<B extends Axes>(axes: B, shape: readonly number[], strides: readonly number[], move = 0): Tensor<D, B> {
    // A view of nothing stays where it is: the place it would move to may be beyond the end.
    const offset = shape.includes(0) ? this.offset : this.offset + move;
    return new Tensor<D, B>(this.dtype, axes, shape, this.data, { strides, offset });
  }
}
