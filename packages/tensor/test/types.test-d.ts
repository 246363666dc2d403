// Compiled, never run: each line under "@ts-expect-error" must be an error, all others must not.
import type { Axes, DType, Id } from '../src/index.js';
import { ids, scalar, tensor, zeros } from '../src/factories.js';
import { Tensor } from '../src/tensor.js';

type Events = Tensor<'float32', readonly ['batch', 'event', 'userWidth']>;
type Latents = Tensor<'float32', readonly ['batch', 'latent', 'userWidth']>;

declare function encode(events: Events): Latents;
declare function lookUp(items: Tensor<Id<'item'>, readonly ['batch', 'event']>): Events;
declare function anything(tensor: Tensor): void;
declare const events: Events;
declare const latents: Latents;
declare const plain: Tensor<'int32', readonly ['batch', 'event']>;
declare const loose: Tensor<DType, Axes>;

// Axes
encode(events);
anything(events);
encode(zeros('float32', ['batch', 'event', 'userWidth'], [2, 3, 4]));
encode(new Tensor('float32', ['batch', 'event', 'userWidth'], [2, 3, 4]));
// @ts-expect-error latents are not events
encode(latents);
// @ts-expect-error another dtype
encode(zeros('float64', ['batch', 'event', 'userWidth'], [2, 3, 4]));
// @ts-expect-error another order
encode(zeros('float32', ['event', 'batch', 'userWidth'], [2, 3, 4]));
// @ts-expect-error one axis less
encode(zeros('float32', ['batch', 'event'], [2, 3]));
// @ts-expect-error axes nobody knows
encode(loose);

// Ids
lookUp(ids('item', ['batch', 'event'], [[1]]));
// @ts-expect-error genres are not items
lookUp(ids('genre', ['batch', 'event'], [[1]]));
// @ts-expect-error int32 that nobody has said to be items
lookUp(plain);
// @ts-expect-error item ids that are reals
lookUp(zeros('float32', ['batch', 'event'], [1, 1]));

// Views carry their axes
const turned: Tensor<'float32', readonly ['userWidth', 'event', 'batch']> = events.transpose('batch', 'userWidth');
const moved: Tensor<'float32', readonly ['event', 'batch', 'userWidth']> = events.permute([
  'event',
  'batch',
  'userWidth',
]);
const renamed: Latents = events.rename('event', 'latent');
const first: Tensor<'float32', readonly ['batch', 'userWidth']> = events.select('event', 0);
const last: Tensor<'float32', readonly ['batch', 'event']> = events.select('userWidth', 0);
const part: Events = events.slice('event', 1);
const flat: Tensor<'float32', readonly ['token', 'userWidth']> = events.reshape(['token', 'userWidth'], [-1, 4]);
const wide: Tensor<'float32', readonly ['head', 'batch', 'event', 'userWidth']> = events.broadcast(
  ['head', 'batch', 'event', 'userWidth'],
  [8, 2, 3, 4],
);
const half: Tensor<'bfloat16', readonly ['batch', 'event', 'userWidth']> = events.cast('bfloat16');
const six: Tensor<'float32', readonly ['a', 'b', 'c', 'd', 'e']> = zeros(
  'float32',
  ['a', 'b', 'c', 'd', 'e', 'f'],
  [1, 1, 1, 1, 1, 1],
).select('f', 0);
// @ts-expect-error no such axis
events.transpose('batch', 'token');
// @ts-expect-error no such axis
events.select('token', 0);
// @ts-expect-error no such axis
events.slice('token', 0);
// @ts-expect-error no such axis
events.sizeOf('token');
// @ts-expect-error not all axes
events.permute(['batch', 'event']);
// @ts-expect-error one axis twice
events.permute(['batch', 'event', 'event']);
// @ts-expect-error a broadcast keeps all axes
events.broadcast(['head', 'batch', 'event'], [8, 2, 3]);
// @ts-expect-error a rename of an axis that is there
const wrong: Events = events.rename('event', 'latent');

// Elements
const real: number = events.at(0, 0, 0);
const whole: bigint = zeros('int64', [], []).at();
const truth: boolean = scalar('bool', true).at();
// @ts-expect-error one index less
events.at(0, 0);
// @ts-expect-error an int64 is no number
const narrow: number = zeros('int64', [], []).at();
// @ts-expect-error truths are no numbers
tensor('bool', ['a'], [1, 0]);
// @ts-expect-error the typed array of another dtype
new Tensor('float32', ['a'], [2], new Float64Array(2));
const data: Float32Array = events.data;
const words: Uint16Array = half.data;
const numbers: Int32Array = ids('item', ['event'], [1]).data;

export {
  turned,
  moved,
  renamed,
  first,
  last,
  part,
  flat,
  wide,
  six,
  wrong,
  real,
  whole,
  truth,
  narrow,
  data,
  words,
  numbers,
};
