import type { Binding, EngineSession, Feeds, Fetches, Results, RunOptions } from './engine.js';
import { busy, disposed } from './session-errors.js';

/** Feeds and fetches for many runs; there is nothing to prepare on this engine but the checks. */
export class PackageBinding implements Binding {
  readonly #session: EngineSession;
  readonly #feeds: Feeds;
  readonly #fetches: Fetches;
  #state: 'free' | 'running' | 'disposed' = 'free';

  constructor(session: EngineSession, feeds: Feeds, fetches: Fetches) {
    this.#session = session;
    this.#feeds = feeds;
    this.#fetches = fetches;
  }

  async run(options?: RunOptions): Promise<Results> {
    this.#enter();
    this.#state = 'running';
    try {
      return await this.#session.run(this.#feeds, this.#fetches, options);
    } finally {
      if (this.#state === 'running') this.#state = 'free';
    }
  }

  runSync(): Results {
    this.#enter();
    return this.#session.runSync(this.#feeds, this.#fetches);
  }

  dispose(): void {
    this.#state = 'disposed';
  }

  #enter(): void {
    if (this.#state === 'disposed') throw disposed('binding');
    if (this.#state === 'running') throw busy('binding');
  }
}
