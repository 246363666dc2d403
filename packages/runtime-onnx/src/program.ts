import {
  bindFeeds,
  cacheWrittenInPlace,
  inputName,
  requireOutputs,
  type Feeds,
  type Graph,
  type Program,
  type ProgramRunOptions,
  type Value,
} from '@user-llm/graph';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import type { EngineSession, Fetches, HostTensor, Results as Memory } from './ort/engine.js';
import { feedMemory, OnnxValue, requireOwn } from './value.js';

/** A value that an output is written into: onto its content, or into its spare memory while the run reads it. */
interface Target {
  readonly value: OnnxValue;
  readonly spare: boolean;
}

type Targets = Readonly<Record<string, Target>>;

/** A graph compiled by ONNX Runtime. */
export class OnnxProgram implements Program {
  readonly #graph: Graph;
  readonly #session: EngineSession;
  readonly #pending: number;
  /** For an output that may lie in an input's memory, the name of that input. */
  readonly #inPlace: ReadonlyMap<string, string>;
  #running = 0;

  /** @internal Takes over the session. */
  constructor(graph: Graph, session: EngineSession, pending: number) {
    this.#graph = graph;
    this.#session = session;
    this.#pending = pending;
    this.#inPlace = cachesInPlace(graph);
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
      const { memory, targets } = this.#bind(feeds, into);
      const results = await this.#session.run(memory, this.#fetches(targets), signal ? { signal } : {});
      return this.#values(results, targets);
    } finally {
      this.#running--;
    }
  }

  /** The same on the caller's thread, which it blocks. */
  runSync(feeds: Feeds, { into = {} }: Pick<ProgramRunOptions, 'into'> = {}): Record<string, OnnxValue> {
    const { memory, targets } = this.#bind(feeds, into);
    return this.#values(this.#session.runSync(memory, this.#fetches(targets)), targets);
  }

  /** Releases the session after the runs under way. */
  dispose(): Promise<void> {
    return this.#session.dispose();
  }

  #bind(feeds: Feeds, into: Readonly<Record<string, Value>>): { memory: Record<string, HostTensor>; targets: Targets } {
    requireOutputs(this.#graph, into, bindFeeds(this.#graph, feeds));
    const memory = Object.entries(feeds).map(
      ([name, feed]: [string, Tensor | Value]) => [name, feedMemory(name, feed)] as const,
    );
    const targets = Object.entries(into).map(([name, given]) => {
      const value = requireOwn(`value for output ${JSON.stringify(name)}`, given);
      const spare = Object.keys(feeds).some((feed) => feeds[feed] === value && feed !== this.#inPlace.get(name));
      return [name, { value, spare }] as const;
    });
    return { memory: Object.fromEntries(memory), targets: Object.fromEntries(targets) };
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

function cachesInPlace({ outputs }: Graph): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(outputs).flatMap(([name, output]) => {
      const cache = cacheWrittenInPlace(output);
      const input = cache && inputName(cache);
      return input === undefined ? [] : [[name, input] as const];
    }),
  );
}
