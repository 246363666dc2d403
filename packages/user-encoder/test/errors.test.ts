import { input, parameterInputs } from '@user-llm/graph';
import type { EncoderInputs } from '@user-llm/plugin';
import { UserLlmError, zeros } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { autoregressiveEncoder, bert4rec, dualEncoder } from '../src/index.js';
import { batchInputs, build, genres, items, ratings } from './support.js';

const features = [items, genres, ratings];
const known: EncoderInputs = { features, item: 'item' };
const small = { width: 8, layers: 1, heads: 2 };

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return UserLlmError.isInstance(error) ? error.code : String(error);
  }
  return undefined;
}

describe.each([autoregressiveEncoder, bert4rec, dualEncoder])('$name', (encoder) => {
  it('fills in defaults', () => {
    const result = encoder.config['~standard'].validate({}) as { readonly value: Record<string, unknown> };
    expect(result.value).toMatchObject({ width: 128, layers: 6, heads: 8, maximumEvents: 50 });
  });

  it.each([
    ['a key it does not know', { depth: 3 }],
    ['a dropout of 1', { dropout: 1 }],
    ['no heads', { heads: 0 }],
    ['a width that is not whole', { width: 1.5 }],
    ['an activation it does not know', { activation: 'tanh' }],
    ['positions it does not know', { positions: 'sinusoidal' }],
  ])('refuses %s', (_, config) => {
    const result = encoder.config['~standard'].validate(config) as { readonly issues?: readonly unknown[] };
    expect(result.issues).toHaveLength(1);
  });

  it.each<readonly [string, Record<string, unknown>, Partial<EncoderInputs>]>([
    ['heads that do not divide the width', { width: 9 }, {}],
    ['rotary positions of an odd head size', { width: 6, positions: 'rotary' }, {}],
    ['an item feature that is not there', {}, { item: 'book' }],
    ['an item feature of several slots', {}, { item: 'genre' }],
    ['no items', {}, { features: [{ name: 'item', size: 3, slots: 1 }] }],
    ['vectors of another number of ids', {}, { vectors: { item: zeros('float32', ['id', 'vectorWidth'], [3, 2]) } }],
    ['vectors of no feature', {}, { vectors: { text: zeros('float32', ['id', 'vectorWidth'], [3, 2]) } }],
    [
      'item features of another number of items',
      {},
      { itemFeatures: { genre: zeros('int32', ['id', 'slot'], [3, 2]) } },
    ],
  ])('does not build with %s', (_, config, inputs) => {
    expect(codeOf(() => build(encoder, { ...small, ...config }, { ...known, ...inputs }))).toBe('bad-config');
  });

  it('refuses a history that is too long, and events without one of the features', () => {
    const module = build(encoder, { ...small, maximumEvents: 3 }, known);
    const { tree } = parameterInputs(module.parameters);
    const apply = (given: object) => () => module.apply(tree as never, given as never);
    const long = batchInputs(features, 1, 5);
    expect(codeOf(apply({ features: long.features, mask: long.mask }))).toBe('history-too-long');
    const { item } = batchInputs(features, 1, 3).features;
    const mask = input('mask', 'bool', ['batch', 'event'], [1, 3]);
    expect(codeOf(apply({ features: { item }, mask }))).toBe('missing-feature');
  });
});

it.each([{ book: 1 }, { item: 0 }])('predicting %o is refused', (predict) => {
  for (const encoder of [autoregressiveEncoder, bert4rec])
    expect(codeOf(() => build(encoder, { ...small, predict }, known))).toBe('bad-config');
});
