import type { DatasetManifest } from '../prepare/manifest.js';

/** Users whose histories have from `from` to `to` events, both counted. */
export interface LengthBin {
  readonly from: number;
  readonly to: number;
  readonly users: number;
}

/** What a prepared data set holds, at a glance. */
export interface DatasetCard {
  readonly manifest: DatasetManifest;
  /** How many events users have. */
  readonly histories: {
    readonly least: number;
    readonly median: number;
    readonly mean: number;
    readonly most: number;
    /** Users with more than 50 events. */
    readonly over50: number;
    readonly bins: readonly LengthBin[];
  };
  /** Events of each rating, from the lowest, and of those without one; more than 20 different ratings come in ten bins. */
  readonly ratings: readonly { readonly rating: string; readonly events: number }[];
  /** How the events are spread over the items. */
  readonly popularity: {
    /** Events of the item at some ranks, from 1, the most popular. */
    readonly curve: readonly { readonly rank: number; readonly events: number }[];
    /** Share of the events, 0 to 1, that the most popular 1 % and 10 % of the items with events have. */
    readonly top1: number;
    readonly top10: number;
    /** The ten most popular items. */
    readonly top: readonly { readonly item: string; readonly title: string | null; readonly events: number }[];
  };
  /** Events of each `day`, `month` or `year` (UTC) in which there are any, in order; `2019-05` is a month. */
  readonly periods: {
    readonly unit: 'day' | 'month' | 'year';
    readonly counts: readonly { readonly period: string; readonly events: number }[];
  };
  /** Items of each of the 20 most common categories. */
  readonly categories: readonly { readonly category: string; readonly items: number }[];
  /** Events with a text, and with a headline. */
  readonly texts: { readonly text: number; readonly summary: number };
}
