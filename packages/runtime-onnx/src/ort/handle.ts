import type { ApiName } from './api-table.js';
import type { CApi } from './c-api.js';
import { disposed } from './session-errors.js';

interface Owned {
  readonly api: CApi;
  readonly release: ApiName & `Release${string}`;
  readonly address: bigint;
  /** What must outlive the object: the memory that it points into. */
  readonly keep: readonly unknown[];
}

/** Releases what was dropped without `dispose`; it also keeps each object's memory reachable until then. */
let dropped: FinalizationRegistry<Owned> | undefined;

function release({ api, release: name, address }: Owned): void {
  api.call(name, address);
}

/**
 * An object of ONNX Runtime that we own: released once, by `dispose` or, as a safety net, when the handle is
 * garbage-collected.
 */
export class Handle {
  readonly #what: string;
  #owned: Owned | undefined;

  /**
   * @param what Its name in errors.
   * @param keep What must stay reachable for as long as the object lives, such as the buffer a value points to.
   */
  constructor(api: CApi, what: string, releaseBy: Owned['release'], address: bigint, keep: readonly unknown[] = []) {
    this.#what = what;
    this.#owned = { api, release: releaseBy, address, keep };
    dropped ??= new FinalizationRegistry(release);
    dropped.register(this, this.#owned, this);
  }

  /**
   * The object's address.
   *
   * @throws UserLlmError `disposed` after `dispose`.
   */
  get address(): bigint {
    if (this.#owned === undefined) throw disposed(this.#what);
    return this.#owned.address;
  }

  /** Whether the object was released. */
  get disposed(): boolean {
    return this.#owned === undefined;
  }

  /** Releases the object; safe to call twice. */
  dispose(): void {
    if (this.#owned === undefined) return;
    dropped?.unregister(this);
    release(this.#owned);
    this.#owned = undefined;
  }
}
