import {
  addSizes,
  and,
  cast,
  constant,
  equal,
  greater,
  greaterEqual,
  less,
  not,
  notEqual,
  or,
  pad,
  range,
  reshape,
  slice,
  uniform,
  where,
  type Symbolic,
} from '@user-llm/graph';
import type { EventBatch, PretrainingBatch } from '@user-llm/plugin';
import { Tensor } from '@user-llm/tensor';
import { idsOf, type FeatureIds } from './event-embedding.js';
import { lengthsOf } from './last-event.js';

// B batch, P positions (one more than the events of a history), S slots.

/** The id of a value that is hidden. */
const maskId = 2;

type Condition = Symbolic<'bool', readonly ['batch', 'event']>;
type Lengths = Symbolic<'int32', readonly ['batch']>;

/** Sequences with events hidden from the model. */
export interface MaskedEvents {
  /** Ids by feature, mask ids for hidden events; `[B, P]` or `[B, P, S]`. */
  readonly features: FeatureIds;
  /** `[B, P]`, true where there is an event, hidden ones among them. */
  readonly mask: Condition;
}

/** Positions of sequences one longer than the histories of a mask, `[P]`, and lengths as a column `[B, 1]` beside them. */
function places(mask: Condition, lengths: Lengths) {
  const [batch, time] = mask.shape;
  const place_P = range('event', addSizes(time!, 1));
  return { place_P, lengths_B1: reshape(lengths, ['batch', 'event'], [batch!, 1]) };
}

/** Ids with those of hidden events replaced by the mask id; further slots stay empty. */
function hide(ids: Symbolic<'int32'>, hidden: Condition): Symbolic<'int32'> {
  const seen = not(hidden) as Symbolic<'bool'>;
  if (ids.axes.at(-1) !== 'slot') return where(seen, ids, maskId);
  const fill = Int32Array.from({ length: ids.shape[2] as number }, (_, slot) => (slot === 0 ? maskId : 0));
  return where(seen, ids, constant(new Tensor('int32', ['slot'], [fill.length], fill)) as Symbolic<'int32'>);
}

function mapped(ids: FeatureIds, map: (own: Symbolic<'int32'>, name: string) => Symbolic<'int32'>): FeatureIds {
  return Object.fromEntries(Object.entries(ids).map(([name, own]) => [name, map(own, name)]));
}

/** Histories with one more, hidden event behind the last; `lengths` `[B]` says where. */
export function withMaskBehind({ features, mask }: EventBatch): MaskedEvents & { readonly lengths: Lengths } {
  const lengths = lengthsOf(mask);
  const { place_P, lengths_B1 } = places(mask, lengths);
  const behind = equal(lengths_B1, place_P);
  return {
    lengths,
    features: mapped(features, (ids) => hide(pad(ids, 'event', 0, 1), behind)),
    mask: greaterEqual(lengths_B1, place_P),
  };
}

/** How events are hidden for training. */
export interface HidingOptions {
  /** Name of the item feature: an event is where it has an id. */
  readonly item: string;
  /** Probability of each event. */
  readonly probability: number;
  /** Share of the sequences in which the last event alone is hidden, as when it is asked what comes next. */
  readonly lastShare: number;
  readonly seed: Symbolic<'int32', readonly []>;
  /** Gives numbers of streams. */
  readonly streams: () => number;
}

/**
 * Hides events of histories, each with the event that came after it, for a model that tells what they were.
 *
 * @returns Also `labels`, the ids of hidden events by feature, 0 elsewhere, and `hidden` `[B, P]`.
 */
export function hideEvents(
  { features, labels, mask }: PretrainingBatch,
  { item, probability, lastShare, seed, streams }: HidingOptions,
): MaskedEvents & { readonly labels: FeatureIds; readonly hidden: Condition } {
  const { place_P, lengths_B1 } = places(mask, lengthsOf(mask));
  const within = greater(lengths_B1, place_P);
  // The events of the history, then the one that came after the last.
  const sequence = mapped(features, (ids, name) =>
    where(within as Symbolic<'bool'>, pad(ids, 'event', 0, 1), pad(idsOf(labels, name), 'event', 1, 0)),
  );
  const present = notEqual(idsOf(sequence, item), 0) as Condition;
  const last = and(present, not(shiftedDown(present)));
  const [batch, positions] = present.shape;
  const lastAlone = less(uniform(seed, ['batch'], [batch!], streams()), lastShare);
  const drawn = less(uniform(seed, ['batch', 'event'], [batch!, positions!], streams()), probability);
  const hidden = and(present, or(and(last, lastAlone), and(drawn, not(lastAlone))));
  return {
    features: mapped(sequence, (ids) => hide(ids, hidden)),
    mask: present,
    labels: mapped(sequence, (ids) => where(hidden as Symbolic<'bool'>, ids, 0)),
    hidden,
  };
}

/** Whether there is an event at the position behind each one. */
function shiftedDown(present: Condition): Condition {
  const behind = pad(slice(cast(present, 'int32'), 'event', 1), 'event', 0, 1);
  return notEqual(behind, 0);
}
