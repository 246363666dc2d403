import { Tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { identityCompressor, lastEvent, meanPool, perceiverResampler } from '../src/index.js';
import { built, compress, difference, initialize, maskOf, random, userWidth } from './support.js';

// B batch, T events of a history, E user width.

const compressors = [
  ['perceiver', built(perceiverResampler, { latents: 3, heads: 2 })],
  ['perceiver with recency', built(perceiverResampler, { latents: 3, heads: 2, recency: 4 })],
  ['perceiver, then the last two', built(perceiverResampler, { latents: 3, heads: 2, lastEvents: 2 })],
  ['mean', built(meanPool)],
  ['last', built(lastEvent)],
  ['last three', built(lastEvent, { events: 3 })],
  ['identity', built(identityCompressor)],
] as const;

const counts = [4, 1, 0];
const events = random(['batch', 'event', 'userWidth'], [3, 4, userWidth], 5);
const mask = maskOf(counts, 4);

const row = (user: number, event: number): number[] =>
  Array.from(events.data.subarray((user * 4 + event) * userWidth, (user * 4 + event + 1) * userWidth));

/** The events with other numbers where there is none. */
function otherPadding(): Tensor {
  const data = Float32Array.from(events.data, (value, at) => {
    const [user, event] = [Math.floor(at / (4 * userWidth)), Math.floor(at / userWidth) % 4];
    return event < counts[user]! ? value : 1000 - value;
  });
  return new Tensor('float32', events.axes, events.shape, data);
}

/** The latents that say something, row by row. */
function spoken({ latents, mask }: ReturnType<typeof compress>): number[] {
  const width = latents.length / mask.length;
  return latents.filter((_, at) => mask[Math.floor(at / width)] === 1);
}

describe.each(compressors)('%s', (_, module) => {
  it('never reads padding, and sends no gradient there', () => {
    const parameters = initialize(module);
    const weights = (like: readonly number[]): Tensor => random(['batch', 'latent', 'userWidth'], like, 9);
    const first = compress(module, events, mask, parameters);
    // Only latents that are not masked count, as for whoever reads them.
    const only = new Tensor(
      'float32',
      ['batch', 'latent', 'userWidth'],
      first.shape,
      Float32Array.from(
        weights(first.shape).data as Float32Array,
        (value, at) => value * first.mask[Math.floor(at / userWidth)]!,
      ),
    );
    const other = compress(module, otherPadding(), mask, parameters, only);
    expect(other.mask).toEqual(first.mask);
    expect(spoken(other)).toEqual(spoken(first));
    const slope = other.gradients['gradient/events']!;
    slope.forEach((value, at) => {
      const [user, event] = [Math.floor(at / (4 * userWidth)), Math.floor(at / userWidth) % 4];
      if (event >= counts[user]!) expect(Math.abs(value)).toBe(0);
    });
    expect(slope.slice(0, 4 * userWidth).some((value) => value !== 0)).toBe(true);
  });

  it('gives the same for a shorter row of padding', () => {
    const parameters = initialize(module);
    const short = new Tensor(
      'float32',
      events.axes,
      [1, 2, userWidth],
      Float32Array.from(events.data.subarray(4 * userWidth, 6 * userWidth)),
    );
    const alone = spoken(compress(module, short, maskOf([1], 2), parameters));
    const among = compress(module, events, mask, parameters);
    const perUser = among.shape[1]!;
    const own = spoken({
      ...among,
      latents: among.latents.slice(perUser * userWidth, 2 * perUser * userWidth),
      mask: among.mask.slice(perUser, 2 * perUser),
    });
    expect(difference(alone, own)).toBeLessThan(1e-12);
  });

  it('masks all of a user with no events', () => {
    const { mask: got, shape } = compress(module, events, mask);
    expect(got.slice(2 * shape[1]!)).toEqual(Array(shape[1]!).fill(0));
    expect(got.slice(0, shape[1]!).includes(1)).toBe(true);
  });
});

describe('what they give', () => {
  it('mean: the mean of the events', () => {
    const { latents, shape } = compress(built(meanPool), events, mask);
    expect(shape).toEqual([3, 1, userWidth]);
    const mean = row(0, 0).map((_, at) => [0, 1, 2, 3].reduce((all, event) => all + row(0, event)[at]!, 0) / 4);
    expect(difference(latents.slice(0, userWidth), mean)).toBeLessThan(1e-12);
    expect(latents.slice(userWidth, 2 * userWidth)).toEqual(row(1, 0));
    expect(latents.slice(2 * userWidth)).toEqual(Array(userWidth).fill(0));
  });

  it('last: the last event of each row', () => {
    const { latents, mask: got } = compress(built(lastEvent), events, mask);
    expect(latents.slice(0, 2 * userWidth)).toEqual([...row(0, 3), ...row(1, 0)]);
    expect(got).toEqual([1, 1, 0]);
  });

  it('last three: the oldest first, what is not there masked', () => {
    const { latents, mask: got } = compress(built(lastEvent, { events: 3 }), events, mask);
    expect(latents.slice(0, 3 * userWidth)).toEqual([...row(0, 1), ...row(0, 2), ...row(0, 3)]);
    expect(latents.slice(5 * userWidth, 6 * userWidth)).toEqual(row(1, 0));
    expect(got).toEqual([1, 1, 1, 0, 0, 1, 0, 0, 0]);
  });

  it('last more than there are places', () => {
    const { latents, mask: got } = compress(built(lastEvent, { events: 6 }), events, mask);
    expect(latents.slice(2 * userWidth, 6 * userWidth)).toEqual(Array.from(events.data.subarray(0, 4 * userWidth)));
    expect(got.slice(0, 6)).toEqual([0, 0, 1, 1, 1, 1]);
  });

  it('perceiver: the same latents with or without last events, which follow as they are', () => {
    const like = { latents: 3, heads: 2, recency: 2 };
    const module = built(perceiverResampler, { ...like, lastEvents: 2 });
    const parameters = initialize(module);
    const { latents, mask: got, shape } = compress(module, events, mask, parameters);
    expect(shape).toEqual([3, 5, userWidth]);
    const alone = compress(built(perceiverResampler, like), events, mask, parameters);
    [0, 1].forEach((user) => {
      const own = latents.slice(5 * user * userWidth, 5 * (user + 1) * userWidth);
      expect(own.slice(0, 3 * userWidth)).toEqual(
        alone.latents.slice(3 * user * userWidth, 3 * (user + 1) * userWidth),
      );
      expect(own.slice(4 * userWidth)).toEqual(row(user, counts[user]! - 1));
    });
    expect(latents.slice(3 * userWidth, 4 * userWidth)).toEqual(row(0, 2));
    expect(got).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0]);
  });

  it('identity: the events and their mask', () => {
    const { latents, mask: got } = compress(built(identityCompressor), events, mask);
    expect(latents).toEqual(Array.from(events.data));
    expect(got).toEqual(Array.from(mask.data));
  });
});
