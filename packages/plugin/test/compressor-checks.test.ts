import {
  add,
  cast,
  concat,
  cumulativeSum,
  divide,
  maximum,
  mean,
  multiply,
  not,
  reshape,
  sum,
  where,
  greater,
  type Float,
} from '@user-llm/graph';
import { describe, expect, it } from 'vitest';
import type { Compressor, UserLatents } from '../src/index.js';
import { compressorChecks } from '../src/testing/index.js';

type Wrong =
  | 'reads padding'
  | 'mixes users'
  | 'hears nothing'
  | 'gives one more'
  | 'leaves nobody open'
  | 'reads the order'
  | 'sends slopes into padding';

/** The mean of a user's events, right but for what `wrong` names. */
function compressor(wrong?: Wrong): Compressor {
  return {
    specVersion: 1,
    name: 'mean',
    config: { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } },
    build: (_, userWidth) => ({
      parameters: {},
      apply: (_own: unknown, { events, mask }): UserLatents => {
        const heard = wrong === 'hears nothing' ? multiply(events, 0) : events;
        const known = wrong === 'reads padding' ? heard : where(mask, heard, 0);
        const count = sum(cast(mask, 'float32') as Float, 'event') as Float;
        const read = wrong === 'reads the order' ? cumulativeSum(known as Float, 'event') : known;
        const total = sum(read as Float, 'event') as Float;
        const leaked =
          wrong === 'sends slopes into padding'
            ? add(total, multiply(sum(events as Float, 'event') as Float, 1e-12))
            : total;
        const own = divide(leaked, maximum(count, 1)) as Float;
        const whole = wrong === 'mixes users' ? add(own, mean(own) as Float) : own;
        const batch = events.shape[0]!;
        const latents = reshape(whole, ['batch', 'latent', 'userWidth'], [batch, 1, userWidth]);
        const there = reshape(greater(count, 0), ['batch', 'latent'], [batch, 1]) as UserLatents['mask'];
        const open = wrong === 'leaves nobody open' ? not(there) : there;
        if (wrong !== 'gives one more') return { latents, mask: open as UserLatents['mask'] };
        return { latents: concat([latents, latents], 'latent'), mask: concat([there, there], 'latent') };
      },
    }),
  };
}

const claims = { latents: 1, readsOrder: false } as const;

describe('compressorChecks', () => {
  for (const check of compressorChecks(compressor(), {}, claims))
    it(`accepts a compressor that is right: ${check.name}`, () => check.run());

  it.each([
    ['reads padding', 'padding is not read'],
    ['mixes users', 'users of a batch do not read each other'],
    ['hears nothing', 'the last event shows'],
    ['gives one more', 'gives as many latents as it says, as wide as the events'],
    ['leaves nobody open', 'a user with events has latents to read, one with none has none, and no number is infinite'],
    ['reads the order', 'the order of events does not show'],
    ['sends slopes into padding', 'slopes reach the events that were read, and no padding'],
  ] as const)('refuses one that %s', async (wrong, name) => {
    const check = compressorChecks(compressor(wrong), {}, claims).find((each) => each.name === name);
    await expect(check!.run()).rejects.toMatchObject({ code: 'not-conforming' });
  });

  it('refuses claims that do not hold', async () => {
    const check = compressorChecks(compressor(), {}, { latents: 1, readsOrder: true });
    await expect(check.find(({ name }) => name === 'the order of events shows')!.run()).rejects.toMatchObject({
      code: 'not-conforming',
    });
  });
});
