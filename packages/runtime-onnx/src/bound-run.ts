import type { Feeds, Value } from '@user-llm/graph';
import { Tensor, type BaseDType, type TypedArray } from '@user-llm/tensor';
import type { Binding, EngineSession, Fetches, HostTensor, Results, RunOptions } from './ort/engine.js';
import { requireOwn, type OnnxValue } from './value.js';

/** Values that outputs are written into, by output name. */
export type Into = Readonly<Record<string, Value>>;

/** A value that an output is written into: onto its content, or into its spare memory while the run reads it. */
export interface Target {
  readonly value: OnnxValue;
  readonly spare: boolean;
}

/** By output name. */
export type Targets = Readonly<Record<string, Target>>;

/**
 * A run that may be made again on the same values without being checked and prepared again, such as the step of a
 * decoder, which reads and writes the same caches each time. Tensors of the host are copied into memory of its own.
 */
export class BoundRun {
  readonly targets: Targets;
  readonly #session: EngineSession;
  readonly #feeds: Feeds;
  readonly #into: Into;
  /** The memory that each feed is read from. */
  readonly #memory: Readonly<Record<string, HostTensor>>;
  readonly #fetches: Fetches;
  readonly #host: readonly string[];
  readonly #binding: Binding;
  #running = false;

  /**
   * @param feeds Feeds that fit the graph.
   * @param into Values that fit its outputs; `targets` says that they are written in place.
   * @param fetches The memory of these values by output, null for other outputs.
   * @throws UserLlmError as `EngineSession.bind`.
   */
  constructor(
    session: EngineSession,
    feeds: Feeds,
    into: Into,
    { fetches, targets }: { readonly fetches: Fetches; readonly targets: Targets },
  ) {
    this.targets = targets;
    this.#session = session;
    this.#feeds = feeds;
    this.#into = into;
    this.#host = Object.keys(feeds).filter((name) => feeds[name] instanceof Tensor);
    this.#memory = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, memoryOf(name, feed)]));
    this.#fetches = fetches;
    this.#binding = session.bind(this.#memory, fetches);
  }

  /** Whether a run is this one again, and it is not under way. */
  fits(session: EngineSession, feeds: Feeds, into: Into): boolean {
    return (
      session === this.#session &&
      !this.#running &&
      sameKeys(feeds, this.#feeds, (name) => this.#fed(name, feeds[name]!)) &&
      sameKeys(into, this.#into, (name) => into[name] === this.#into[name] && this.#holds(name))
    );
  }

  /** Runs with feeds that fit. */
  async run(feeds: Feeds, options: RunOptions): Promise<Results> {
    this.#take(feeds);
    this.#running = true;
    try {
      return await this.#binding.run(options);
    } finally {
      this.#running = false;
    }
  }

  /** The same on the caller's thread, which it blocks. */
  runSync(feeds: Feeds): Results {
    this.#take(feeds);
    return this.#binding.runSync();
  }

  /** Lets go of the memory; a run under way ends first. */
  dispose(): void {
    this.#binding.dispose();
  }

  /** Whether a feed lies where that of before did, or is copied to where that was. */
  #fed(name: string, feed: Tensor | Value): boolean {
    const before = this.#feeds[name]!;
    if (!(feed instanceof Tensor)) return feed === before && requireOwn(name, feed).memory === this.#memory[name];
    return (
      before instanceof Tensor &&
      feed.dtype === before.dtype &&
      equal(feed.shape, before.shape) &&
      equal(feed.axes, before.axes)
    );
  }

  /** Whether a value that is written into still has the memory that it had. */
  #holds(name: string): boolean {
    return requireOwn(name, this.#into[name]!).memory === this.#fetches[name];
  }

  #take(feeds: Feeds): void {
    for (const name of this.#host) {
      const { data } = (feeds[name] as Tensor).contiguous();
      (this.#memory[name]!.data as Float32Array).set(data as Float32Array);
    }
  }
}

function memoryOf(name: string, feed: Tensor | Value): HostTensor {
  if (!(feed instanceof Tensor)) return requireOwn(name, feed).memory;
  const { dtype, shape, data } = feed.contiguous();
  return { dtype: dtype as BaseDType, shape, data: data.slice() as TypedArray };
}

function sameKeys(now: object, before: object, check: (name: string) => boolean): boolean {
  const names = Object.keys(now);
  return names.length === Object.keys(before).length && names.every((name) => name in before && check(name));
}

function equal<T>(now: readonly T[], before: readonly T[]): boolean {
  return now.length === before.length && now.every((item, at) => item === before[at]);
}
