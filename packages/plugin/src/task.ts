import type { Item } from './event.js';
import type { Example } from './example.js';
import type { History } from './timeline.js';

/** Looks an item up by its id. */
export type Catalogue = ReadonlyMap<string, Item>;

/** What a task's answers are, and so what its metrics judge: the rank of an item, one label, or running text. */
export type AnswerKind = 'item' | 'label' | 'text';

/** A place in a user's history to ask at. */
export interface Question {
  readonly history: History;
  /** Events before this position may be known; for most tasks the event at it is the one asked about. */
  readonly position: number;
  /** How many events before `position` the model may read at most; all when absent. */
  readonly length?: number;
  /** Which of the task's phrasings; wraps around, so any whole number from 0 up will do. */
  readonly phrasing?: number;
}

/** What is asked of a model about its user, and how its answers are judged. */
export interface Task {
  readonly specVersion: 1;
  readonly name: string;
  /** Raised whenever a template's wording changes. */
  readonly version: number;
  readonly answers: AnswerKind;
  /** Number of ways the instruction is put. */
  readonly phrasings: number;
  /** Names of the metrics that judge it, the most telling one first. */
  readonly metrics: readonly string[];
  /** The example at a place of a history; nothing where the task cannot be asked there (no event, no text, no title). */
  example(question: Question, catalogue: Catalogue): Example | undefined;
}
