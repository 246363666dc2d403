import {
  bindFeeds,
  cacheWrittenInPlace,
  inputName,
  requireOutputs,
  type bindGiven,
  type Feeds,
  type Graph,
  type Program,
  type ProgramRunOptions,
} from '@user-llm/graph';
import { UserLlmError } from '@user-llm/tensor';
import { BoundRun, type Into, type Target, type Targets } from './bound-run.js';
import type { EngineSession, Fetches, HostTensor, Results as Memory, RunOptions } from './ort/engine.js';
import { feedMemory, OnnxValue, requireOwn } from './value.js';

/** A run that is checked and prepared. */
interface Ready {
  readonly targets: Targets;
  run(options: RunOptions): Promise<Memory>;
  runSync(): Memory;
}

/** A graph compiled by ONNX Runtime. */
export class OnnxProgram implements Program {
  readonly #graph: Graph;
  /** Sizes that inputs given once bind. */
  readonly #bound: ReadonlyMap<string, number>;
  readonly #session: EngineSession;
  readonly #pending: number;
  /** For an output that may lie in an input's memory, the name of that input. */
  readonly #inPlace: ReadonlyMap<string, string>;
  #running = 0;

  /** @internal Takes over the session. */
  constructor({ fed, bound }: ReturnType<typeof bindGiven>, session: EngineSession, pending: number) {
    this.#graph = fed;
    this.#bound = bound;
    this.#session = session;
    this.#pending = pending;
    this.#inPlace = cachesInPlace(fed);
  }

  /**
   * Runs the graph off the caller's thread.
   *
   * @throws UserLlmError as `Program.run`, and `overloaded` when as many runs as the runtime's `pendingRuns` are under
   *   way or waiting.
   */
  async run(feeds: Feeds, { into = {}, signal }: ProgramRunOptions = {}): Promise<Record<string, OnnxValue>> {
    if (this.#running >= this.#pending) {
      throw new UserLlmError('overloaded', {
        what: 'program',
        expected: `at most ${this.#pending} runs under way or waiting`,
        got: 'one more',
        mend: 'Await some of them first, or create the runtime with a larger pendingRuns.',
      });
    }
    this.#running++;
    try {
      const ready = this.#ready(feeds, into);
      return this.#values(await ready.run(signal ? { signal } : {}), ready.targets);
    } finally {
      this.#running--;
    }
  }

  /** The same on the caller's thread, which it blocks. */
  runSync(feeds: Feeds, { into = {} }: Pick<ProgramRunOptions, 'into'> = {}): Record<string, OnnxValue> {
    const ready = this.#ready(feeds, into);
    return this.#values(ready.runSync(), ready.targets);
  }

  /** Releases the session after the runs under way. */
  dispose(): Promise<void> {
    return this.#session.dispose();
  }

  #ready(feeds: Feeds, into: Into): Ready {
    const [first] = Object.values(into);
    const known = first instanceof OnnxValue ? first.bound : undefined;
    if (known?.fits(this.#session, feeds, into)) return again(known, feeds);
    requireOutputs(this.#graph, into, bindFeeds(this.#graph, feeds, this.#bound));
    const targets = this.#targets(feeds, into);
    const fetches = this.#fetches(targets);
    const written = Object.values(targets);
    if (written.length > 0 && written.every(({ spare }) => !spare)) {
      const bound = new BoundRun(this.#session, feeds, into, { fetches, targets });
      // The next run may be the same. The value keeps it, so that it ends with the memory.
      written[0]!.value.bound = bound;
      return again(bound, feeds);
    }
    const memory = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, feedMemory(name, feed)]));
    return {
      targets,
      run: (options) => this.#session.run(memory, fetches, options),
      runSync: () => this.#session.runSync(memory, fetches),
    };
  }

  #targets(feeds: Feeds, into: Into): Targets {
    return Object.fromEntries(
      Object.entries(into).map(([name, given]) => {
        const value = requireOwn(`value for output ${JSON.stringify(name)}`, given);
        const spare = Object.keys(feeds).some((feed) => feeds[feed] === value && feed !== this.#inPlace.get(name));
        return [name, { value, spare }] as const;
      }),
    );
  }

  #fetches(targets: Targets): Fetches {
    const memory = (target: Target | undefined): HostTensor | null =>
      target ? (target.spare ? target.value.spare : target.value.memory) : null;
    return Object.fromEntries(Object.keys(this.#graph.outputs).map((name) => [name, memory(targets[name])]));
  }

  #values(results: Memory, targets: Targets): Record<string, OnnxValue> {
    return Object.fromEntries(
      Object.entries(this.#graph.outputs).map(([name, { axes }]) => {
        const target = targets[name];
        if (target?.spare) target.value.swap();
        return [name, target?.value ?? new OnnxValue(axes, results[name]!)];
      }),
    );
  }
}

function again(bound: BoundRun, feeds: Feeds): Ready {
  return { targets: bound.targets, run: (options) => bound.run(feeds, options), runSync: () => bound.runSync(feeds) };
}

function cachesInPlace({ outputs }: Graph): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(outputs).flatMap(([name, output]) => {
      const cache = cacheWrittenInPlace(output);
      const input = cache && inputName(cache);
      return input === undefined ? [] : [[name, input] as const];
    }),
  );
}
