import { input, multiply, sum, symbol, where, type Float, type Size, type Symbolic } from '@user-llm/graph';
import { Random, Tensor } from '@user-llm/tensor';
import type { Compressor, CompressorModule, UserLatents } from '../compressor.js';
import { demand, type Check } from './check.js';
import {
  check,
  demandDifferent,
  demandEqual,
  demandFinite,
  demandType,
  firstValues,
  opened,
  rowsWhere,
  run,
  shakenValues,
  slopes,
  validated,
  type Arrays,
  type Tensors,
} from './model-part.js';

/** What a compressor says of itself. */
export interface CompressorClaims {
  /** How many latents it gives, or `events` for one per event. */
  readonly latents: number | 'events';
  /** Whether it matters in which order the events came. */
  readonly readsOrder: boolean;
  /** Width of the event embeddings that it is tried on; 8 unless told. */
  readonly userWidth?: number;
}

/** Users' embedded events, `[batch, event, width]` row-major, each row from its start. */
interface Embedded {
  readonly lengths: readonly number[];
  readonly places: number;
  readonly events: Float32Array;
}

const lengths = [5, 2, 0];
const places = 5;

/**
 * What every compressor must do: give as many latents as it says, for batches of any size; read no padding and no other
 * user; mask the latents of a user with no events; keep to what it says of the order of events; say the same each time
 * it is built; and hand slopes back to the events that it read.
 *
 * @param config As it is written.
 */
export function compressorChecks(
  compressor: Compressor,
  config: unknown,
  { latents, readsOrder, userWidth = 8 }: CompressorClaims,
): readonly Check[] {
  const build = (): CompressorModule => compressor.build(validated(compressor, config), userWidth);
  const numbers = Random.fromSeed(3).normal(new Float32Array(lengths.length * places * userWidth));
  const usual: Embedded = { lengths, places, events: numbers };
  const count = (of: number): number => (latents === 'events' ? of : latents);
  /** The usual events with other numbers at some places, such as no norm takes back. */
  const changed = (at: (user: number, event: number) => boolean, to = 1e3): Embedded => ({
    ...usual,
    events: numbers.map((value, index) => {
      const place = Math.floor(index / userWidth);
      return at(Math.floor(place / places), place % places) ? value + to * (-1) ** index : value;
    }),
  });
  const compress = (module: CompressorModule, given: Embedded, sizes: 'open' | 'fixed' = 'fixed'): Arrays => {
    const { all, users, named } = compressed(module, userWidth, sizes === 'open' ? undefined : given);
    return run(
      [...all, ...Object.values(named)],
      { ...users },
      { ...feedsOf(given, userWidth), ...shakenValues(module) },
    );
  };
  /** The latents that are there to be read. */
  const read = (module: CompressorModule, given: Embedded): number[] => {
    const { latents: all, mask } = compress(module, given);
    return rowsWhere(all!, mask!.data);
  };
  return [
    check('gives as many latents as it says, as wide as the events', () => {
      const module = build();
      const { users } = compressed(module, userWidth, usual);
      const shape = [lengths.length, count(places)];
      demandType('latents', users.latents, {
        dtype: 'float32',
        axes: ['batch', 'latent', 'userWidth'],
        shape: [...shape, userWidth],
      });
      demandType('mask', users.mask, { dtype: 'bool', axes: ['batch', 'latent'], shape });
    }),
    check('reads batches of any size by one graph', () => {
      const module = build();
      const [open, fixed] = [compress(module, usual, 'open'), compress(module, usual)];
      demandEqual('latents', open['latents']!.data, fixed['latents']!.data);
      demandEqual('mask', open['mask']!.data, fixed['mask']!.data);
    }),
    check('a user with events has latents to read, one with none has none, and no number is infinite', () => {
      const { latents: all, mask } = compress(build(), usual);
      demandFinite('latents', all!.data);
      const width = mask!.shape[1]!;
      lengths.forEach((length, user) => {
        const there = mask!.data.slice(user * width, (user + 1) * width).filter((open) => open !== 0).length;
        const expected = latents === 'events' ? length : length > 0 ? latents : 0;
        demand(there === expected, `latents to read of ${length} events`, String(expected), String(there));
      });
    }),
    check('padding is not read', () => {
      const module = build();
      const before = read(module, usual);
      demandEqual(
        'latents',
        read(
          module,
          changed((user, event) => event >= lengths[user]!),
        ),
        before,
      );
      const wide = { lengths, places: places + 3, events: widened(numbers, userWidth, 3) };
      demandEqual('latents before more padding', read(module, wide), before);
    }),
    check('users of a batch do not read each other', () => {
      const module = build();
      const first = { lengths: lengths.slice(0, 1), places, events: numbers.slice(0, places * userWidth) };
      const alone = read(module, first);
      demandEqual('latents of the first user', read(module, usual).slice(0, alone.length), alone);
    }),
    check('the last event shows', () => {
      const module = build();
      const other = changed((user, event) => user === 0 && event === places - 1, 1);
      demandDifferent('latents after a changed event', read(module, other), read(module, usual));
    }),
    check(`the order of events ${readsOrder ? 'shows' : 'does not show'}`, () => {
      const module = build();
      const turned = Float32Array.from({ length: places * userWidth }, (_, at) => {
        const event = Math.floor(at / userWidth);
        return numbers[(places - 1 - event) * userWidth + (at % userWidth)]!;
      });
      const first = { lengths: [places], places, events: numbers.slice(0, places * userWidth) };
      const [before, after] = [read(module, first), read(module, { ...first, events: turned })];
      if (readsOrder) demandDifferent('latents of events turned round', after, before);
      else demandEqual('latents of events turned round', after, before);
    }),
    check('built again it says the same, from the same first values', () => {
      const [one, other] = [build(), build()];
      const [first, second] = [firstValues(one), firstValues(other)];
      demand(`${Object.keys(first)}` === `${Object.keys(second)}`, 'names of parameters', 'the same', 'others');
      demandEqual('latents', read(other, usual), read(one, usual));
    }),
    check('slopes reach the events that were read, and no padding', () => {
      const module = build();
      const { all, users, named, events } = compressed(module, userWidth, usual);
      const open = where(users.mask, users.latents, 0) as Float;
      const weights = input('weights', 'float32', ['latent', 'userWidth'], [count(places), userWidth]);
      const loss = sum(multiply(open, weights as Float) as Float);
      const feeds = {
        ...feedsOf(usual, userWidth),
        ...firstValues(module),
        weights: weightsOf(count(places), userWidth),
      };
      const found = run([...all, weights, ...Object.values(named)], slopes(loss, { ...named, events }), feeds);
      for (const [name, { data }] of Object.entries(found)) demandFinite(name, data);
      const isRead = (at: number): boolean => {
        const place = Math.floor(at / userWidth);
        return place % places < lengths[Math.floor(place / places)]!;
      };
      const slope = Array.from(found['slope/events']!.data);
      demand(
        slope.some((value, at) => value !== 0 && isRead(at)),
        'slopes of events',
        'some that are not 0',
        'none',
      );
      const leaked = slope.some((value, at) => value !== 0 && !isRead(at));
      demand(!leaked, 'slopes of padding', '0', 'others');
    }),
  ];
}

/** The latents of embedded events, in a graph of open sizes unless they are given. */
function compressed(module: CompressorModule, userWidth: number, given?: Embedded) {
  const [batch, time]: Size[] = given ? [given.lengths.length, given.places] : [symbol('batch'), symbol('event')];
  const events = input('events', 'float32', ['batch', 'event', 'userWidth'], [batch!, time!, userWidth]);
  const mask = input('mask', 'bool', ['batch', 'event'], [batch!, time!]);
  const { tree, named } = opened(module);
  const users: UserLatents = module.apply(tree, { events, mask });
  return { all: [events, mask] as readonly Symbolic[], events, users, named };
}

function feedsOf({ lengths: of, places: row, events }: Embedded, userWidth: number): Tensors {
  const there = Uint8Array.from({ length: of.length * row }, (_, at) => Number(at % row < of[Math.floor(at / row)]!));
  return {
    events: new Tensor('float32', ['batch', 'event', 'userWidth'], [of.length, row, userWidth], events) as Tensor,
    mask: new Tensor('bool', ['batch', 'event'], [of.length, row], there) as Tensor,
  };
}

/** Rows with more padding behind them, of numbers that would show. */
function widened(events: Float32Array, userWidth: number, more: number): Float32Array {
  const row = places * userWidth;
  const wide = new Float32Array(lengths.length * (row + more * userWidth)).fill(1e3);
  lengths.forEach((_, user) =>
    wide.set(events.subarray(user * row, (user + 1) * row), user * (row + more * userWidth)),
  );
  return wide;
}

/** Numbers that tell latents and widths apart. */
function weightsOf(latents: number, userWidth: number): Tensor {
  const numbers = Random.fromSeed(5).normal(new Float32Array(latents * userWidth));
  return new Tensor('float32', ['latent', 'userWidth'], [latents, userWidth], numbers) as Tensor;
}
