import type { UserKey } from '@user-llm/plugin';
import type { UserModel } from '../user-model.js';
import type { Catalogue } from '../catalogue.js';
import type { ContextCache } from '../users/context-cache.js';
import type { Users } from '../users/users.js';
import type { AdmissionQueue } from '../work/admission-queue.js';
import type { Answers } from '../work/answers.js';
import type { AskedUsers } from '../work/asked-users.js';
import type { Metrics } from '../work/metrics.js';
import type { RequestSignal } from '../work/request-signal.js';
import type { TokenLimits } from './completion-requests.js';
import type { FastifyReply } from 'fastify';

/** What the page offers to try. */
export interface Examples {
  /** Ids of users to pick from; shown to their tenant alone. */
  readonly users: readonly string[];
  /** Whose users they are; those of who needs no key when absent. */
  readonly tenant: string;
  /** Questions to pick from. */
  readonly questions: readonly string[];
}

/** What the routes work with. */
export interface Services {
  readonly model: UserModel;
  readonly catalogue: Catalogue;
  readonly users: Users;
  readonly contexts: ContextCache<unknown>;
  readonly queue: AdmissionQueue;
  readonly answers: Answers<unknown>;
  readonly asked: AskedUsers;
  readonly metrics: Metrics;
  readonly limits: TokenLimits;
  readonly examples: Examples;
  /**
   * A signal for one request, until its answer is out or its client gone.
   *
   * @param user Aborts when this user is deleted.
   */
  signalOf(reply: FastifyReply, user?: UserKey): RequestSignal['signal'];
}
