import { elements } from '@user-llm/tensor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, evaluate, graph, input, reshape, transpose, type ReferenceArray } from '../../src/index.js';

const names = ['a', 'b', 'c', 'd'];
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });

function counting(shape: readonly number[], from = 0): ReferenceArray {
  return { dtype: 'float32', shape, data: Float64Array.from({ length: elements(shape) }, (_, at) => from + at) };
}

/** Index of an element in every axis, from its place in row-major order. */
function indexOf(position: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = position;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return index;
}

function positionOf(index: readonly number[], shape: readonly number[]): number {
  return index.reduce((position, at, axis) => position * shape[axis]! + at, 0);
}

describe('moves of data against the naive way', () => {
  it('transposes', () => {
    const cases = shapes.chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.shuffledSubarray([...shape.keys()], { minLength: shape.length, maxLength: shape.length }),
      ),
    );
    fc.assert(
      fc.property(cases, ([shape, order]) => {
        const x = input('x', 'float32', names.slice(0, shape.length), shape);
        const turned = transpose(
          x,
          order.map((axis) => names[axis]!),
        );
        const { y } = evaluate(graph([x], { y: turned }), { x: counting(shape) });
        expect(y!.shape).toEqual(order.map((axis) => shape[axis]!));
        y!.data.forEach((value, position) => {
          const index = indexOf(position, y!.shape);
          const original = shape.map((_, axis) => index[order.indexOf(axis)]!);
          expect(value).toBe(positionOf(original, shape));
        });
      }),
    );
  });

  it('reshapes without moving an element', () => {
    fc.assert(
      fc.property(shapes, fc.nat(3), (shape, joined) => {
        const x = input('x', 'float32', names.slice(0, shape.length), shape);
        const cut = Math.min(joined, shape.length);
        const other = [elements(shape.slice(0, cut)), elements(shape.slice(cut))];
        const y = reshape(x, ['front', 'back'], [other[0]!, other[1]!]);
        const result = evaluate(graph([x], { y }), { x: counting(shape) })['y']!;
        expect(result).toEqual({ ...counting(shape), shape: other });
      }),
    );
  });

  it('broadcasts by the names of axes', () => {
    const cases = shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.subarray([...shape.keys()])));
    fc.assert(
      fc.property(cases, fc.boolean(), ([shape, own], first) => {
        const part = own.map((axis) => shape[axis]!);
        const x = input('x', 'float32', names.slice(0, shape.length), shape);
        const y = input(
          'y',
          'float32',
          own.map((axis) => names[axis]!),
          part,
        );
        const total = first ? add(y, x) : add(x, y);
        expect(total.axes).toEqual(x.axes);
        const feeds = { x: counting(shape), y: counting(part, 1000) };
        const { z } = evaluate(graph([x, y], { z: total }), feeds);
        expect(z!.shape).toEqual(shape);
        z!.data.forEach((value, position) => {
          const index = indexOf(position, shape);
          const other = positionOf(
            own.map((axis) => index[axis]!),
            part,
          );
          expect(value).toBe(position + 1000 + other);
        });
      }),
    );
  });
});
