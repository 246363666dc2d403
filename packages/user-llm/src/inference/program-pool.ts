import { optimize, type Graph, type Program, type Runtime } from '@user-llm/graph';
import { UserLlmError, type Tensor } from '@user-llm/tensor';

/** Programs of one model on one runtime, each compiled when it is first needed and then kept. */
export class ProgramPool {
  readonly #runtime: () => Promise<Runtime>;
  readonly #weights: Readonly<Record<string, Tensor>>;
  readonly #programs = new Map<string, Promise<Program>>();
  #disposed = false;

  /**
   * @param runtime Starts the runtime, when the first program is needed.
   * @param weights All parameters by full name.
   */
  constructor(runtime: () => Promise<Runtime>, weights: Readonly<Record<string, Tensor>>) {
    this.#runtime = runtime;
    this.#weights = weights;
  }

  /**
   * The program of a name.
   *
   * @param build Its graph; parameters are inputs by their full names.
   * @throws UserLlmError `disposed`, and what the runtime throws.
   */
  get(name: string, build: () => Graph): Promise<Program> {
    if (this.#disposed) {
      throw new UserLlmError('disposed', {
        what: 'User-LLM',
        expected: 'a model that is still held',
        got: 'one that was disposed of',
        mend: 'Load it again.',
      });
    }
    const known = this.#programs.get(name);
    if (known) return known;
    const made = this.#compile(build());
    this.#programs.set(name, made);
    made.catch(() => this.#programs.delete(name));
    return made;
  }

  /** Disposes of the programs; a runtime that was given is the caller's. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    for (const made of await Promise.allSettled(this.#programs.values())) {
      if (made.status === 'fulfilled') await made.value.dispose();
    }
    this.#programs.clear();
  }

  async #compile(graph: Graph): Promise<Program> {
    const read = Object.keys(graph.inputs).filter((name) => name in this.#weights);
    const frozen = Object.fromEntries(read.map((name) => [name, this.#weights[name]!]));
    return (await this.#runtime()).compile(optimize(graph), frozen);
  }
}

/** Runs a program and takes what comes out, as host tensors. */
export async function runOnHost(
  program: Program,
  feeds: Readonly<Record<string, Tensor>>,
  signal?: AbortSignal,
): Promise<Record<string, Tensor>> {
  const results = await program.run(feeds, signal ? { signal } : {});
  const read = Object.entries(results).map(async ([name, value]) => {
    const tensor = await value.read();
    value.dispose();
    return [name, tensor] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}
