import type { ServerResponse } from 'node:http';

/** The requests whose answers are not out yet. */
export class OpenRequests {
  readonly #open = new Set<ServerResponse>();
  #idle: (() => void) | undefined;

  /** Counts a request until its answer is out, or its client gone. */
  add(response: ServerResponse): void {
    this.#open.add(response);
    response.once('close', () => {
      this.#open.delete(response);
      if (this.#open.size === 0) this.#idle?.();
    });
  }

  /** Waits until no request is open, at most so many milliseconds. */
  async quiet(limitMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, limitMs);
    });
    clearTimeout(timer);
  }
}
