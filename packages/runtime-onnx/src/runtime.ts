import { bindGiven, type Graph, type GraphSource, type Runtime, type TrainStepOptions } from '@user-llm/graph';
import type { BaseDType, Tensor, TypedArray } from '@user-llm/tensor';
import { lower } from './lowering/lower.js';
import { multipliesIntegers, releaseOf } from './lowering/releases.js';
import { writeModel } from './onnx-model.js';
import { requireOptions, threadSettings } from './options.js';
import type { Engine, EngineSession, HostTensor, SessionOptions } from './ort/engine.js';
import { loadEngine, type EngineOptions } from './ort/load-engine.js';
import { SharedWeights } from './ort/shared-weights.js';
import { OnnxProgram } from './program.js';
import { OnnxStatefulProgram } from './stateful-program.js';
import { OnnxValue } from './value.js';

/** How a runtime on ONNX Runtime works. */
export interface OnnxRuntimeOptions extends EngineOptions, Omit<SessionOptions, 'weights'> {
  /** Runs of one program that may be under way or waiting; 1,024 unless told. */
  readonly pendingRuns?: number;
}

/** Runs graphs on ONNX Runtime. */
export class OnnxRuntime implements Runtime {
  readonly name = 'onnx';
  readonly quantizedProducts = true;
  /** On the CPU alone: other providers have no kernel for it. */
  readonly integerProducts: boolean;
  /** What runs the models: its kind, its version, its execution providers. */
  readonly engine: Engine;
  readonly #options: SessionOptions;
  readonly #pending: number;
  /** The weights given last that a piece of memory is among. */
  readonly #weights = new WeakMap<TypedArray, SharedWeights>();

  private constructor(engine: Engine, options: SessionOptions, pending: number) {
    this.engine = engine;
    const [first = 'cpu'] = options.providers ?? [];
    const isFirst = (typeof first === 'string' ? first : first.name) === 'cpu';
    this.integerProducts = isFirst && multipliesIntegers(releaseOf(engine.version));
    this.#options = options;
    this.#pending = pending;
  }

  /**
   * Loads ONNX Runtime.
   *
   * @throws UserLlmError `bad-options`, `no-engine` when it cannot be loaded, `old-engine` for a library that is too old.
   */
  static async create(options: OnnxRuntimeOptions = {}): Promise<OnnxRuntime> {
    requireOptions(options);
    const { pendingRuns = 1024, ...rest } = options;
    const config = { ...threadSettings(options), ...options.config };
    return new OnnxRuntime(await loadEngine(rest), { ...rest, config }, pendingRuns);
  }

  value(tensor: Tensor): OnnxValue {
    const { axes, dtype, shape, data } = tensor.contiguous();
    return new OnnxValue(axes, { dtype: dtype as BaseDType, shape, data: data.slice() as TypedArray });
  }

  /**
   * A graph compiled for inference; its sizes may be symbolic.
   *
   * @param frozen Inputs that never change: they become initializers, which ONNX Runtime packs for its kernels.
   * @throws UserLlmError as `Runtime.compile`, `onnxruntime-...` for what ONNX Runtime refuses, `unavailable-provider`.
   */
  async compile(graph: Graph, frozen: Readonly<Record<string, Tensor>> = {}): Promise<OnnxProgram> {
    const bound = bindGiven(graph, frozen);
    return new OnnxProgram(bound, await this.#session(graph, frozen, this.#shared(frozen)), this.#pending);
  }

  /** @throws UserLlmError as `Runtime.compileTrainStep` and `compile`. */
  compileTrainStep(source: GraphSource, options: TrainStepOptions): Promise<OnnxStatefulProgram> {
    return Promise.resolve().then(() => {
      const { frozen = {} } = options;
      let weights: SharedWeights | undefined;
      return new OnnxStatefulProgram(source, options, (graph) =>
        this.#session(graph, frozen, (weights ??= this.#shared(frozen))),
      );
    });
  }

  /** Lets go of ONNX Runtime once its programs are disposed of. */
  dispose(): Promise<void> {
    return this.engine.dispose();
  }

  #session(
    graph: Graph,
    frozen: Readonly<Record<string, Tensor>>,
    weights: SharedWeights | undefined,
  ): Promise<EngineSession> {
    const model = lower(graph, { frozen, release: releaseOf(this.engine.version) });
    const read = (model.initializers ?? []).flatMap(({ name, data }) => (data === 'memory' ? [name] : []));
    return this.engine.createSession(writeModel(model), {
      ...this.#options,
      ...(weights && read.length > 0 && { weights: weights.only(read) }),
    });
  }

  /** The weights that were given before with some of this memory, since sessions with them share what is made of it. */
  #shared(frozen: Readonly<Record<string, Tensor>>): SharedWeights | undefined {
    const tensors = Object.entries(frozen).map(([name, tensor]) => {
      const { dtype, shape, data } = tensor.contiguous();
      return [name, { dtype: dtype as BaseDType, shape, data: data as TypedArray }] as const;
    });
    const [first] = tensors;
    if (!first) return undefined;
    const known = this.#weights.get(first[1].data);
    const goTogether = known && tensors.every(([name, tensor]) => isSame(known.tensors[name] ?? tensor, tensor));
    const weights = goTogether ? known : new SharedWeights({});
    weights.add(Object.fromEntries(tensors));
    for (const [, { data }] of tensors) this.#weights.set(data, weights);
    return weights;
  }
}

/** Whether two tensors are the same view of the same memory. */
function isSame(one: HostTensor, other: HostTensor): boolean {
  return one.data === other.data && one.dtype === other.dtype && `${one.shape}` === `${other.shape}`;
}
