import { bindFeeds, type Feeds, type Graph, type Program, type RunOptions, type Value } from '@user-llm/graph';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import type { EngineSession, Fetches, HostTensor, Results as Memory } from './ort/engine.js';
import { feedMemory, OnnxValue } from './value.js';

/** How one run of a program on ONNX Runtime goes. */
export interface OnnxRunOptions extends RunOptions {
  /**
   * Values that outputs are written into, by output name, instead of new ones. The value of an input may be that of
   * an output only where the operator works in place, as a key-value cache does.
   */
  readonly into?: Readonly<Record<string, Value>>;
}

/** A graph compiled by ONNX Runtime. */
export class OnnxProgram implements Program {
  readonly #graph: Graph;
  readonly #session: EngineSession;
  readonly #pending: number;
  #running = 0;

  /** @internal Takes over the session. */
  constructor(graph: Graph, session: EngineSession, pending: number) {
    this.#graph = graph;
    this.#session = session;
    this.#pending = pending;
  }

  /**
   * Runs the graph off the caller's thread.
   *
   * @throws UserLlmError as `Program.run`, and `overloaded` when as many runs as the runtime's `pendingRuns` are under
   *   way or waiting.
   */
  async run(feeds: Feeds, options: OnnxRunOptions = {}): Promise<Record<string, OnnxValue>> {
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
      const { signal } = options;
      const results = await this.#session.run(this.#feeds(feeds), this.#fetches(options), signal ? { signal } : {});
      return this.#values(results, options);
    } finally {
      this.#running--;
    }
  }

  /** The same on the caller's thread, which it blocks. */
  runSync(feeds: Feeds, options: Pick<OnnxRunOptions, 'into'> = {}): Record<string, OnnxValue> {
    return this.#values(this.#session.runSync(this.#feeds(feeds), this.#fetches(options)), options);
  }

  /** Releases the session after the runs under way. */
  dispose(): Promise<void> {
    return this.#session.dispose();
  }

  #feeds(feeds: Feeds): Record<string, HostTensor> {
    bindFeeds(this.#graph, feeds);
    return Object.fromEntries(
      Object.entries(feeds).map(([name, feed]: [string, Tensor | Value]) => [name, feedMemory(name, feed)]),
    );
  }

  #fetches({ into = {} }: OnnxRunOptions): Fetches {
    return Object.fromEntries(
      Object.keys(this.#graph.outputs).map((name) => [name, into[name] ? feedMemory(name, into[name]) : null]),
    );
  }

  #values(results: Memory, { into = {} }: OnnxRunOptions): Record<string, OnnxValue> {
    return Object.fromEntries(
      Object.entries(this.#graph.outputs).map(([name, { axes }]) => [
        name,
        (into[name] as OnnxValue | undefined) ?? new OnnxValue(axes, results[name]!),
      ]),
    );
  }
}
