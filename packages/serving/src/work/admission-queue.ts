import { UserLlmError } from '@user-llm/tensor';
import { unlessAborted } from './unless-aborted.js';

/** How much a queue takes. */
export interface AdmissionOptions {
  /** Most pieces of work at once. */
  readonly concurrency: number;
  /** Most that wait. */
  readonly waiting: number;
}

interface Waiter {
  readonly admit: () => void;
}

/** Lets a bounded number in at once, a bounded number wait in order of arrival, and turns others away at once. */
export class AdmissionQueue {
  readonly #options: AdmissionOptions;
  readonly #waiters: Waiter[] = [];
  #running = 0;
  /** Seconds that a piece of work takes, a running mean. */
  #seconds = 1;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Whole seconds after which another try is likely to be let in: 1 to 60. */
  get retryAfterSeconds(): number {
    const rounds = (this.#waiters.length + this.#running) / this.#options.concurrency;
    return Math.min(60, Math.max(1, Math.ceil(rounds * this.#seconds)));
  }

  /**
   * Waits for its turn, then does the work.
   *
   * @param signal Aborts the wait and the work, whose place is then free; work that does not heed it goes on unheard.
   * @throws UserLlmError `queue-full` at once when too many wait; the signal's reason when it aborts.
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const release = await this.enter(signal);
    try {
      return await unlessAborted(signal, work());
    } finally {
      release();
    }
  }

  /**
   * As `run`, for work that outlives a call: the caller calls what this resolves to once the work is done or aborted.
   *
   * @throws As `run`.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#running < this.#options.concurrency) this.#running++;
    else await this.#wait(signal);
    const start = performance.now();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#seconds += 0.1 * ((performance.now() - start) / 1000 - this.#seconds);
      // Who leaves hands its place to the next, so that none who comes just now can take it.
      const next = this.#waiters.shift();
      if (next) next.admit();
      else this.#running--;
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiters.length >= this.#options.waiting) {
      throw new UserLlmError('queue-full', {
        what: 'this server',
        expected: `at most ${this.#options.waiting} requests that wait`,
        got: 'one more',
        mend: `Try again in ${this.retryAfterSeconds} s.`,
      });
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        admit: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#waiters.push(waiter);
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}
