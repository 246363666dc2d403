import { availableParallelism } from 'node:os';
import { aborted } from './session-errors.js';

/**
 * How many native calls may run beside each other: no more than the machine has cores, and one thread of Node's pool
 * (4, or `UV_THREADPOOL_SIZE`) stays free for files and names.
 */
export function defaultParallelRuns(poolSize = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4)): number {
  return Math.max(1, Math.min(availableParallelism(), (poolSize || 4) - 1));
}

/** Lets a fixed number of runs go on at once; further ones wait in the order in which they came. */
export class RunSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param count Runs at once, 1 or more. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Takes a slot if one is free, without waiting. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /**
   * Waits for a slot.
   *
   * @throws UserLlmError `aborted` when the signal aborts first; then no slot is taken.
   */
  take(signal?: AbortSignal): Promise<void> {
    if (this.tryTake()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(aborted(signal!));
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
    });
  }

  /** Gives a slot back, to the one that has waited longest. */
  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
