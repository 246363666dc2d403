import { UserLlmError } from '@user-llm/tensor';

/** Counts the runs that use something, so that it is released after the last of them. */
export class Use {
  readonly #release: () => void;
  #runs = 0;
  #disposed = false;
  #released: (() => void) | undefined;
  readonly #ended = new Promise<void>((resolve) => (this.#released = resolve));

  /** @param release Called once, when it is disposed of and no run uses it. */
  constructor(release: () => void) {
    this.#release = release;
  }

  /** @throws UserLlmError `disposed` after `dispose`. */
  require(what: string): void {
    if (!this.#disposed) return;
    throw new UserLlmError('disposed', {
      what,
      expected: 'to be used before dispose()',
      got: 'a call after it',
      mend: 'Make a new one.',
    });
  }

  /** Notes a run. */
  begin(): void {
    this.#runs++;
  }

  /** Notes the end of a run. */
  end(): void {
    this.#runs--;
    this.#settle();
  }

  /** Refuses further use, and releases after the runs under way: at once where there is none. */
  dispose(): Promise<void> {
    this.#disposed = true;
    this.#settle();
    return this.#ended;
  }

  #settle(): void {
    if (!this.#disposed || this.#runs > 0 || !this.#released) return;
    this.#release();
    this.#released();
    this.#released = undefined;
  }
}
