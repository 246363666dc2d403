import type { Interval } from '../judge/bootstrap.js';

/** What the model is told of the user: the truth, the history of another user, or nothing. */
export type ControlCondition = 'own user' | 'another user' | 'no user';

/** Held-out loss of the true answers under each condition: whether the user is used at all. */
export interface ControlResult {
  readonly candidate: string;
  readonly task: string;
  readonly questions: number;
  readonly conditions: readonly {
    readonly condition: ControlCondition;
    /** Mean negative log-likelihood of the true answer, per predicted token, in nats. */
    readonly loss: Interval;
    /** How much the loss is above that with the own user, paired by user; absent for the own user. */
    readonly above?: Interval;
  }[];
  /** `tanh` of the gate of each layer that has one. */
  readonly gates: readonly { readonly name: string; readonly value: number }[];
}
