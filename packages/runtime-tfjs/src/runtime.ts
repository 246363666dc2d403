import type { Graph, GraphSource, Runtime, TrainStepOptions } from '@user-llm/graph';
import type { Tensor } from '@user-llm/tensor';
import { requireSupported } from './dtypes.js';
import type { Engine } from './engine/engine.js';
import { loadEngine, type EngineOptions } from './engine/load.js';
import { Program } from './program.js';
import { SharedTensors } from './shared-tensors.js';
import { TrainStep } from './train-step.js';
import { Use } from './use.js';
import { upload, Value } from './value.js';

/** Runs graphs on TensorFlow.js kernels. */
export class TfjsRuntime implements Runtime {
  /** What computes: its name, its threads. */
  readonly engine: Engine;
  readonly #frozen: SharedTensors;
  /** Programs that were not disposed of, as far as they are still there. */
  readonly #programs = new Set<WeakRef<Program | TrainStep>>();
  readonly #use = new Use(() => undefined);

  private constructor(engine: Engine) {
    this.engine = engine;
    this.#frozen = new SharedTensors(engine);
  }

  /** `tfjs-` and the engine's name. */
  get name(): string {
    return `tfjs-${this.engine.name}`;
  }

  /**
   * A runtime on the engine asked for, else on the first that starts.
   *
   * @throws UserLlmError as `loadEngine`.
   */
  static async create(options: EngineOptions = {}): Promise<TfjsRuntime> {
    return new TfjsRuntime(await loadEngine(options));
  }

  /**
   * A host tensor copied to where the kernels work.
   *
   * @throws UserLlmError `unsupported-dtype`.
   */
  value(tensor: Tensor): Value {
    requireSupported('value', tensor);
    return new Value(this.engine, tensor.dtype, tensor.axes, upload(this.engine, tensor));
  }

  /**
   * A graph made ready to run.
   *
   * @param frozen Inputs that never change, by name; they are not fed. Programs given one tensor share one copy of it.
   * @throws UserLlmError `unsupported-dtype` when it computes with numbers that TensorFlow.js does not have; for `frozen`
   *   as `Program.run` for feeds; `disposed`.
   */
  compile(graph: Graph, frozen: Readonly<Record<string, Tensor>> = {}): Promise<Program> {
    return this.#made(() => new Program(this.engine, graph, frozen, this.#frozen));
  }

  /**
   * A graph that carries parameters and optimizer state from run to run.
   *
   * @throws UserLlmError as `compile` and `TrainStep`.
   */
  compileTrainStep(source: GraphSource, options: TrainStepOptions): Promise<TrainStep> {
    return this.#made(() => new TrainStep(this.engine, source, options));
  }

  /** Releases the programs after the runs under way, and compiles no more; values and the engine stay for others. */
  async dispose(): Promise<void> {
    await this.#use.dispose();
    await Promise.all([...this.#programs].map((program) => program.deref()?.dispose()));
  }

  async #made<Made extends Program | TrainStep>(make: () => Made): Promise<Made> {
    this.#use.require('runtime');
    const program = await Promise.resolve().then(make);
    for (const known of this.#programs) if (!known.deref()) this.#programs.delete(known);
    this.#programs.add(new WeakRef(program));
    return program;
  }
}
