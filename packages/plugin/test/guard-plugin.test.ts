import { input, matmul, slice, symbol, type Symbolic } from '@user-llm/graph';
import { UserLlmError } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import {
  guardPlugin,
  type Compressor,
  type CompressorModule,
  type LanguageModel,
  type Metric,
  type Plugin,
  type UserLatents,
} from '../src/index.js';

const config = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;

/** A compressor that hands every event on, but for what is changed. */
function compressor(change: Partial<CompressorModule> | (() => CompressorModule) = {}): Compressor {
  const module: CompressorModule = {
    parameters: {},
    apply: (_: unknown, { events, mask }): UserLatents => ({
      latents: { ...events, axes: ['batch', 'latent', 'userWidth'] } as UserLatents['latents'],
      mask: { ...mask, axes: ['batch', 'latent'] } as unknown as UserLatents['mask'],
    }),
  };
  return {
    specVersion: 1,
    name: 'all',
    config,
    build: () => (typeof change === 'function' ? change() : { ...module, ...change }),
  };
}

const given = {
  events: input('events', 'float32', ['batch', 'event', 'userWidth'], [symbol('batch'), 5, 8]),
  mask: input('mask', 'bool', ['batch', 'event'], [symbol('batch'), 5]),
};
const other = input('other', 'float32', ['row', 'width'], [2, 3]);

/** The same tensor by other names of its axes. */
const renamed = <T extends Symbolic>(tensor: T, axes: readonly string[]): T => ({ ...tensor, axes });

const raise = (error: unknown): never => {
  throw error;
};

const applying = (apply: (events: typeof given) => unknown): Compressor =>
  compressor({ apply: ((_: unknown, events: typeof given) => apply(events)) as CompressorModule['apply'] });

const built = (part: Compressor): CompressorModule => {
  const guarded = guardPlugin({ name: 'team', specVersion: 1, compressors: [part] });
  return guarded.compressors![0]!.build({}, 8);
};

function thrown(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe('a guarded plugin', () => {
  it('gives what its parts give, those that are frozen or instances of classes too', () => {
    const { latents } = built(compressor()).apply({} as never, given);
    expect(latents.shape).toEqual(given.events.shape);
    class Fixed {
      readonly specVersion = 1;
      readonly name = 'fixed';
      readonly config = config;
      readonly #module = compressor();
      build(own: unknown, width: number): CompressorModule {
        return Object.freeze(this.#module.build(own, width));
      }
    }
    expect(built(new Fixed()).apply({} as never, given).latents.shape).toEqual(given.events.shape);
    expect(built(Object.freeze(compressor())).parameters).toEqual({});
  });

  it.each([
    ['throws when it is built', compressor(() => raise(new Error('a bug'))), 'build', 'a bug'],
    ['throws when it is applied', applying(() => raise(new TypeError('x is undefined'))), 'apply', 'x is undefined'],
    [
      'joins tensors that do not fit',
      applying(({ events }) => ({ latents: matmul(events, other as never), mask: given.mask })),
      'apply',
      'expected',
    ],
    ['builds nothing', compressor(() => undefined as never), 'build', 'a function apply'],
    ['gives nothing', applying(() => undefined), 'apply', 'got nothing'],
    [
      'gives another width',
      applying(({ events, mask }) => ({
        latents: renamed(slice(events, 'userWidth', 0, 3), ['batch', 'latent', 'userWidth']),
        mask: renamed(mask, ['batch', 'latent']),
      })),
      'apply',
      'expected float32[batch, latent, userWidth 8], got float32[batch, latent 5, userWidth 3]',
    ],
    ['gives other axes', applying((events) => ({ ...events, latents: events.events })), 'apply', 'userWidth 8], got'],
  ])('that %s is named', (_, part, method, message) => {
    const error = thrown(() => built(part).apply({} as never, given));
    expect(error).toMatchObject({
      code: 'plugin-failed',
      details: { what: `plugin "team", ${method} of "all" among its compressors` },
    });
    expect((error as Error).message).toContain(message);
  });

  it('that gives no keys and values of branches is named', () => {
    const hidden = input('hidden', 'float32', ['batch', 'token', 'modelWidth'], [symbol('batch'), 2, 8]);
    const cache = input('cache', 'float32', ['batch', 'keyValueHead', 'place', 'headSize'], [symbol('batch'), 1, 3, 8]);
    const caches = [{ keys: cache, values: cache }];
    const none = (): never => raise(new Error('not asked for'));
    const sizes = { layers: 1, modelWidth: 8, vocabularySize: 9, maximumTokens: 16 };
    const decode = () => ({ hidden, caches });
    const module = {
      ...sizes,
      embed: none,
      hidden: none,
      decode,
      branch: decode,
      logits: none,
      loss: none,
      apply: none,
    };
    const llm = { specVersion: 1, name: 'ours', config, build: () => module } as unknown as LanguageModel;
    const [guarded] = guardPlugin({ name: 'team', specVersion: 1, llms: [llm] }).llms!;
    const made = guarded!.build({});
    expect(made.decode({} as never, {} as never)).toEqual({ hidden, caches });
    const error = thrown(() => made.branch!({} as never, {} as never));
    expect(error).toMatchObject({ code: 'plugin-failed' });
    expect((error as Error).message).toContain('float32[batch, keyValueHead, place, headSize], got nothing');
  });

  it('keeps the cause, and what is refused on purpose', async () => {
    const cause = new Error('a bug');
    const throwing = (error: unknown) => compressor(() => raise(error));
    expect(thrown(() => built(throwing(cause)))).toMatchObject({ code: 'plugin-failed', cause });
    const refusal = new UserLlmError('bad-config', { what: 'scale' });
    expect(thrown(() => built(throwing(refusal)))).toBe(refusal);
    const full = new UserLlmError('store-full', { what: 'store' });
    const store = {
      specVersion: 1 as const,
      name: 'here',
      get: () => Promise.reject(cause),
      put: () => Promise.reject(full),
      delete: () => Promise.resolve(),
      forget: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const [guarded] = guardPlugin({ name: 'team', specVersion: 1, stores: [store] }).stores!;
    await expect(guarded!.get({ tenant: '', user: '' })).rejects.toMatchObject({ code: 'plugin-failed', cause });
    await expect(guarded!.put({ tenant: '', user: '' }, {} as never, undefined)).rejects.toBe(full);
  });

  it('guards what throws among metrics, and is checked first', () => {
    const metric = { specVersion: 1, name: 'm', answers: 'text', higherIsBetter: true } as const;
    const score: Metric['score'] = () => raise(new Error('no answers'));
    const [guarded] = guardPlugin({ name: 'team', specVersion: 1, metrics: [{ ...metric, score }] }).metrics!;
    expect(() => guarded!.score([])).toThrow('plugin "team", score of "m" among its metrics: got no answers');
    expect(() => guardPlugin({ name: 'team', specVersion: 1, metrics: [metric] } as unknown as Plugin)).toThrow(
      'expected the function score of "m" among its metrics',
    );
  });
});
