import type { Event } from './event.js';

/** One question about a user with its true answer: what a task makes from a history. */
export interface Example {
  /** The task's name. */
  readonly task: string;
  /** Which wording was used: `task@version#phrasing`. */
  readonly template: string;
  readonly user: string;
  /** What the model may know of the user, oldest event first. */
  readonly history: readonly Event[];
  /** What the model is asked, in words; says nothing of the history. */
  readonly instruction: string;
  /** The true answer, in words. */
  readonly target: string;
  /** The item that the answer is, or that the question is about. */
  readonly item?: string;
}
