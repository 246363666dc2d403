import type { EventSchema, Task } from '@user-llm/plugin';
import { favouriteCategoryTask, nextItemTask } from '@user-llm/tasks';
import type { Run, Strategy } from '@user-llm/training';

/** How the LLM reads the user's embeddings. */
export type FusionName = 'cross-attention' | 'soft-prompt';

/** How the LLM gets to know the user: a way that is tuned, judged and compared. */
export type Way = {
  /** Of its folder, and of its line in figures. */
  readonly name: string;
  /** In tables. */
  readonly label: string;
} & (
  | { readonly kind: 'fusion'; readonly fusion: FusionName; readonly strategy: Strategy }
  | { readonly kind: 'text'; readonly lastEvents: number; readonly strategy: Strategy }
);

/** Minutes of training for each part; all ways to know the user are tuned equally long. */
export interface Minutes {
  readonly pretrain: number;
  readonly language: number;
  /** Of each fusion, until the LLM reads films out of the encoder's vectors; all its ways start from there. */
  readonly align: number;
  /** Of each way after that; text prompts are tuned as long as a fusion is aligned and tuned. */
  readonly tune: number;
}

/** What a recipe's runs are made of: what the command was called with, and what comes of it. */
export interface Setting {
  /** Folder of the prepared data set. */
  readonly dataset: string;
  readonly seed: number;
  readonly minutes: Minutes;
  /** Path of a checkpoint that takes the place of the decoder that is trained from scratch. */
  readonly llm?: string | undefined;
}

/** What is trained and how it is judged. */
export interface Recipe {
  /** The ways that are tuned and compared; the first is the one that is served. */
  readonly ways: readonly Way[];
  /** Users and films with fewer ratings are left out. */
  readonly kCore: number;
  /** Events of a history that are read at most. */
  readonly maximumEvents: number;
  /** Users that are judged, drawn at random; all where there are fewer. */
  readonly users: number;
  /** Beginnings of titles that the LLM's search follows up at one time. */
  readonly beamWidth: number;
  /** Lengths of histories, in events, that answers are timed with. */
  readonly timedEvents: readonly number[];
  /** Texts without users, to see what the LLM keeps of its language; none for a decoder that has none. */
  readonly plainTexts: readonly string[];
  /** Minutes of training at the usual effort. */
  readonly minutes: Minutes;
  /** Seconds of what is not training, on two cores; absent where nobody has measured them. */
  readonly seconds?: { readonly prepare: number; readonly evaluate: number; readonly report: number };
  /** The run that all ways start from. */
  baseRun(setting: Setting): Run;
  /**
   * The run that aligns a fusion, `align-FUSION`, which its ways start from.
   *
   * @param start Folder of the base run's model.
   */
  alignRun(fusion: FusionName, setting: Setting, start: string): Run;
  /**
   * The run that tunes one way to know the user.
   *
   * @param start Folder of the model of its fusion's alignment, or of the base run's for a text prompt.
   */
  tuneRun(way: Way, setting: Setting, start: string): Run;
}

/** What is read of each event: the film, its genres, the user's rating. */
export const events = {
  item: { kind: 'id' },
  genre: { kind: 'multi-id', from: 'item', field: 'categories', slots: 6 },
  rating: { kind: 'ordinal' },
} as const satisfies EventSchema;

/** What is judged: the next film, and the favourite genre of what was read. */
export const judgedTasks: readonly Task[] = [nextItemTask(), favouriteCategoryTask({ noun: 'genre' })];

/**
 * What is trained and asked: the genre of the time to come besides. The test knows but one event of it, so it is not
 * judged.
 */
export const askedTasks: readonly Task[] = [...judgedTasks, favouriteCategoryTask({ noun: 'genre', over: 'future' })];

/** How often each of them is trained, relative to the others. */
export const taskMix = [
  { name: 'next-item', weight: 6 },
  { name: 'favourite-genre', weight: 1 },
  { name: 'future-favourite-genre', weight: 1 },
];

/** The fusions of a recipe's ways, each once. */
export function fusionsOf({ ways }: Pick<Recipe, 'ways'>): FusionName[] {
  return [...new Set(ways.flatMap((way) => (way.kind === 'fusion' ? [way.fusion] : [])))];
}
