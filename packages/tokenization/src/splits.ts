import { z } from 'zod';
import { stringHash } from './hash.js';
import type { Timelines } from './timelines.js';

const share = z.number().min(0).max(1);

/** How events are parted into training, validation and test. */
export const splitOptions = z.discriminatedUnion('kind', [
  z.strictObject({
    /** Each user's last event is tested, the one before validates, the others train. */
    kind: z.literal('leave-last-out'),
    /** Share of the users whose last event but one validates, chosen by a hash of the user's id; that of the others trains. */
    validation: share.default(1),
    seed: z.int().default(0),
  }),
  z
    .strictObject({
      /** Events from a moment on validate, from a later moment on test; milliseconds since 1970. */
      kind: z.literal('time'),
      validationFrom: z.number(),
      testFrom: z.number(),
    })
    .refine(({ validationFrom, testFrom }) => validationFrom <= testFrom, 'validationFrom must not be after testFrom'),
  z
    .strictObject({
      /** Shares of the users, chosen by a hash of the user's id: they stay where they are as users come and go. */
      kind: z.literal('held-out-users'),
      validation: share,
      test: share,
      seed: z.int().default(0),
    })
    .refine(({ validation, test }) => validation + test <= 1, 'the shares must not be more than 1 together'),
]);

/** How events are parted into training, validation and test. */
export type SplitOptions = z.input<typeof splitOptions>;

/** A split with its defaults filled in. */
export type Split = z.output<typeof splitOptions>;

/** A part of a split. */
export type Part = 'train' | 'validation' | 'test';

/** Positions of one user's events that a part predicts: `from` (at least 1, for something must come before) to below `to`. */
export interface TargetRange {
  readonly from: number;
  readonly to: number;
}

const bounds = (from: number, to: number): TargetRange => ({ from: Math.max(1, from), to });

/** Which of a user's events a part predicts. What comes before them may be read, whatever part it is in. */
export function targetRange(timelines: Timelines, user: number, split: Split, part: Part): TargetRange {
  const length = timelines.lengthOf(user);
  switch (split.kind) {
    case 'leave-last-out':
      return cut(part, length - heldOutEvents(timelines.columns.users[user]!, split), length - 1, length);
    case 'time':
      return cut(
        part,
        firstFrom(timelines, user, split.validationFrom),
        firstFrom(timelines, user, split.testFrom),
        length,
      );
    case 'held-out-users':
      return partOfUser(timelines.columns.users[user]!, split) === part ? bounds(1, length) : bounds(length, length);
  }
}

/** How many of a user's last events a leave-last-out split does not train on: the tested one, and that which validates. */
export function heldOutEvents(user: string, split: Split & { readonly kind: 'leave-last-out' }): number {
  return placeOf(user, split.seed) < split.validation ? 2 : 1;
}

/** The part that a held-out-users split puts a user in. */
export function partOfUser(user: string, split: Split & { readonly kind: 'held-out-users' }): Part {
  const place = placeOf(user, split.seed);
  if (place < split.test) return 'test';
  return place < split.test + split.validation ? 'validation' : 'train';
}

/**
 * Moments that part all events by time into the shares asked for, as a time split wants them.
 *
 * @param validation Share of the events from `validationFrom` to `testFrom`.
 * @param test Share of the events from `testFrom` on.
 */
export function timeSplit(timelines: Timelines, validation: number, test: number): Split & { readonly kind: 'time' } {
  const sorted = timelines.columns.times.slice().sort();
  const at = (place: number) => sorted[Math.min(sorted.length - 1, Math.floor(place * sorted.length))] ?? 0;
  return { kind: 'time', validationFrom: at(1 - validation - test), testFrom: at(1 - test) };
}

/** A number from 0 to below 1 that a user keeps whatever others there are. */
function placeOf(user: string, seed: number): number {
  return stringHash(user, seed) / 2 ** 32;
}

function cut(part: Part, validationFrom: number, testFrom: number, length: number): TargetRange {
  if (part === 'train') return bounds(1, validationFrom);
  return part === 'validation' ? bounds(validationFrom, testFrom) : bounds(testFrom, length);
}

/** Position of a user's first event at or after a time. */
function firstFrom(timelines: Timelines, user: number, time: number): number {
  let low = 0;
  let high = timelines.lengthOf(user);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timelines.timeOf(user, middle) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
