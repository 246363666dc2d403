import type { EventSchema, FeatureSpec } from '@user-llm/plugin';
import { Tensor, UserLlmError, type Axes, type Id } from '@user-llm/tensor';
import type { BatchCursor } from './batch-cursor.js';
import type { EventTokenizer } from './event-tokenizer.js';
import { copyIds, type FeatureLayout, type TimelineColumns, type Timelines } from './timelines.js';
import type { Windows } from './windows.js';

/** Which end of a row short histories leave empty. */
export type PaddingSide = 'left' | 'right';

/** The axes of one feature's ids: `[batch, event]`, and `slot` where one event has several. */
export type FeatureAxes<Spec extends FeatureSpec> = FeatureSpec extends Spec
  ? Axes
  : Spec extends { readonly slots: number }
    ? readonly ['batch', 'event', 'slot']
    : readonly ['batch', 'event'];

/** Ids by feature, each branded by the feature's name. */
export type FeatureColumns<S extends EventSchema> = {
  readonly [Name in keyof S & string]: Tensor<Id<Name>, FeatureAxes<S[Name]>>;
};

/** Windows of `B` users, padded to `T` events. */
export interface Batch<S extends EventSchema = EventSchema> {
  /** Whose windows they are, `[B]`. */
  readonly users: readonly string[];
  /** Ids of the events, `[B, T]` or `[B, T, S]`; padding is 0. */
  readonly columns: FeatureColumns<S>;
  /** Ids of the event after each one, `[B, T]` or `[B, T, S]`; 0 where there is none, or padding. */
  readonly labels: FeatureColumns<S>;
  /** 1 where there is an event, `[B, T]`. */
  readonly mask: Tensor<'bool', readonly ['batch', 'event']>;
  /** Number of events of each row, `[B]`. */
  readonly lengths: Tensor<'int32', readonly ['batch']>;
  /** Where to go on after this batch; nothing where the batch is not one of a loader's. */
  readonly next?: BatchCursor;
}

/** A batch as plain arrays, as a worker hands it over. */
export interface BatchArrays {
  readonly users: readonly string[];
  /** `T`. */
  readonly events: number;
  readonly columns: Readonly<Record<string, Int32Array>>;
  readonly labels: Readonly<Record<string, Int32Array>>;
  readonly mask: Uint8Array;
  readonly lengths: Int32Array;
  readonly next?: BatchCursor;
}

/**
 * Copies windows into a batch.
 *
 * @param rows Which windows, `[B]`.
 * @param events `T`: at least the length of the longest of them.
 */
export function fillBatch(
  timelines: TimelineColumns,
  windows: Windows,
  rows: Int32Array,
  events: number,
  side: PaddingSide,
): BatchArrays {
  const { users, offsets, features } = timelines;
  const size = rows.length;
  const mask = new Uint8Array(size * events);
  const lengths = new Int32Array(size);
  rows.forEach((window, row) => {
    const length = windows.ends[window]! - windows.starts[window]!;
    const at = row * events + (side === 'left' ? events - length : 0);
    lengths[row] = length;
    mask.fill(1, at, at + length);
  });
  const columns: Record<string, Int32Array> = {};
  const labels: Record<string, Int32Array> = {};
  for (const { name, slots } of features) {
    const column = (columns[name] = new Int32Array(size * events * slots));
    const label = (labels[name] = new Int32Array(size * events * slots));
    for (let row = 0; row < size; row++) {
      const window = rows[row]!;
      const user = windows.users[window]!;
      const start = offsets[user]! + windows.starts[window]!;
      const end = offsets[user]! + windows.ends[window]!;
      const at = (row * events + (side === 'left' ? events - lengths[row]! : 0)) * slots;
      copyIds(timelines, name, slots, start, end, column, at);
      copyIds(timelines, name, slots, start + 1, Math.min(end + 1, offsets[user + 1]!), label, at);
    }
  }
  return {
    users: Array.from(rows, (window) => users[windows.users[window]!]!),
    events,
    columns,
    labels,
    mask,
    lengths,
  };
}

/** Gives a batch's arrays their axes and brands; nothing is copied. */
export function typedBatch<S extends EventSchema>(arrays: BatchArrays, features: readonly FeatureLayout[]): Batch<S> {
  const { users, events, next } = arrays;
  const typed = (columns: Readonly<Record<string, Int32Array>>): FeatureColumns<S> => {
    const tensors = features.map(({ name, slots, slotted }) => {
      const axes = slotted ? ['batch', 'event', 'slot'] : ['batch', 'event'];
      const shape = slotted ? [users.length, events, slots] : [users.length, events];
      return [name, new Tensor('int32', axes, shape, columns[name]!)] as const;
    });
    return Object.fromEntries(tensors) as unknown as FeatureColumns<S>;
  };
  return {
    users,
    columns: typed(arrays.columns),
    labels: typed(arrays.labels),
    mask: new Tensor('bool', ['batch', 'event'] as const, [users.length, events], arrays.mask),
    lengths: new Tensor('int32', ['batch'] as const, [users.length], arrays.lengths),
    ...(next === undefined ? {} : { next }),
  };
}

/**
 * One batch of windows, for serving and evaluation; training has `BatchLoader`.
 *
 * @param windows All of them make one batch, in their order; see `currentWindows`.
 * @param events `T`; the length of the longest window when absent.
 * @throws UserLlmError `bad-batch` when a window has more events than that.
 */
export function batchOf<S extends EventSchema>(
  tokenizer: Pick<EventTokenizer<S>, 'features'>,
  timelines: Timelines,
  windows: Windows,
  { events, side = 'right' }: { readonly events?: number; readonly side?: PaddingSide } = {},
): Batch<S> {
  const longest = windows.starts.reduce((most, start, window) => Math.max(most, windows.ends[window]! - start), 0);
  if (events !== undefined && events < longest) {
    throw new UserLlmError('bad-batch', {
      what: 'batch',
      expected: `room for the longest window, ${longest} events`,
      got: `${events}`,
    });
  }
  const rows = Int32Array.from({ length: windows.count }, (_, window) => window);
  return typedBatch<S>(fillBatch(timelines.columns, windows, rows, events ?? longest, side), tokenizer.features);
}
