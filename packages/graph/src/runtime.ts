import type { Axes, DType, Tensor } from '@user-llm/tensor';
import type { Graph } from './graph.js';

/** A tensor that stays where a runtime works: in its memory, or on its device. */
export interface Value {
  readonly dtype: DType;
  readonly axes: Axes;
  readonly shape: readonly number[];
  /**
   * A copy on the host.
   *
   * @param reuse A tensor that is read no more: where it has this value's type, the copy may be made in its memory.
   * @throws UserLlmError `disposed` after `dispose`.
   */
  read(reuse?: Tensor): Promise<Tensor>;
  /**
   * Replaces the content.
   *
   * @throws UserLlmError `shape-mismatch`, `axis-mismatch` or `dtype-mismatch` unless the tensor has this value's type,
   *   `disposed` after `dispose`.
   */
  write(tensor: Tensor): void;
  /** Releases the memory; doing so twice is harmless. */
  dispose(): void;
}

/** What inputs are given, by name: host tensors, or values of the same runtime. */
export type Feeds = Readonly<Record<string, Tensor | Value>>;

/** What a run made, by the names of the graph's outputs; whoever gets the values disposes of them. */
export type Results = Readonly<Record<string, Value>>;

/** How one run goes. */
export interface RunOptions {
  /** Ends the run early: it rejects with `aborted`. */
  readonly signal?: AbortSignal;
}

/** How one run of a program goes. */
export interface ProgramRunOptions extends RunOptions {
  /**
   * Values of the runtime that outputs are written into, by output name; each is then what the run gives back for its
   * output. The value of an input may be that of an output: it is read as it was and holds the output afterwards, and
   * the caches of `cachedAttention` are then written in place where the runtime can. After a run that fails, their
   * content is not defined.
   */
  readonly into?: Readonly<Record<string, Value>>;
}

/** A graph made ready to run; several runs may be under way at once. */
export interface Program {
  /**
   * Runs the graph; the caller's event loop goes on where the runtime can let it.
   *
   * @throws UserLlmError `missing-feed`, `unknown-feed`, `unknown-output`, `dtype-mismatch`, `shape-mismatch`,
   *   `axis-mismatch`, `aborted`, `disposed`.
   */
  run(feeds: Feeds, options?: ProgramRunOptions): Promise<Results>;
  /** Releases what the program holds, after the runs under way; doing so twice is harmless. */
  dispose(): void | Promise<void>;
}

/** What a program that carries state is told about its graph. */
export interface TrainStepOptions {
  /** For each carried input (a parameter, optimizer state) the output that takes its place after a step. */
  readonly carry: Readonly<Record<string, string>>;
  /** What carried inputs start from. */
  readonly initial: Readonly<Record<string, Tensor>>;
  /** Inputs that never change, such as frozen parameters: given once, shared by all shapes the step runs with. */
  readonly frozen?: Readonly<Record<string, Tensor>>;
  /**
   * Outputs (not carried ones) in which NaN or an infinity fails the step with `not-finite`, such as `loss` and
   * `gradientNorm`; the state then stays as it was. None unless told: such numbers are handed back as they are.
   */
  readonly requireFinite?: readonly string[];
}

/** A graph that carries values (parameters, optimizer state) from run to run, without copying them. */
export interface StatefulProgram extends Program {
  /**
   * The carried values, by the names of the inputs; read or write them between steps. A step may put another value
   * in the place of one, so take it from here each time.
   */
  readonly state: Readonly<Record<string, Value>>;
  /**
   * One step: a run that fails leaves the state as it was.
   *
   * @param feeds The inputs that are neither carried nor frozen.
   * @returns The outputs that are not carried.
   * @throws UserLlmError as `Program.run`, `busy` when the step before has not ended, and `not-finite` as
   *   `TrainStepOptions.requireFinite` says.
   */
  run(feeds: Feeds, options?: RunOptions): Promise<Results>;
}

/**
 * A graph, or one for each combination of shapes that is fed, compiled when it is first needed and then kept.
 *
 * @param shapes Shapes of the feeds that are neither carried nor frozen.
 */
export type GraphSource = Graph | ((shapes: Readonly<Record<string, readonly number[]>>) => Graph);

/** Runs graphs. */
export interface Runtime {
  /** Its name, such as `onnx` or `tfjs-wasm`. */
  readonly name: string;
  /** Whether products with matrices of 4 or 8 bits read their codes; where not, `quantizedMatmul` makes them real each time. */
  readonly quantizedProducts?: boolean;
  /** Whether `int8Matmul` multiplies whole numbers; where not, it makes its matrix real each time. */
  readonly integerProducts?: boolean;
  /**
   * A host tensor copied to where the runtime works.
   *
   * @throws UserLlmError `unsupported-dtype`.
   */
  value(tensor: Tensor): Value;
  /**
   * A graph made ready to run.
   *
   * @param frozen Inputs that never change, such as parameters, by name: they are given once and are then not fed.
   *   Programs that are given one tensor share its memory where the runtime can.
   * @throws UserLlmError `unsupported-dtype` when it computes with a dtype that the runtime does not have; for `frozen`
   *   as `Program.run` for feeds; `disposed`.
   */
  compile(graph: Graph, frozen?: Readonly<Record<string, Tensor>>): Promise<Program>;
  /**
   * A graph that carries parameters and optimizer state from run to run.
   *
   * @throws UserLlmError as `compile`; `bad-graph` when a carried input and its output do not fit; `missing-feed`
   *   when a carried input has no initial tensor.
   */
  compileTrainStep(source: GraphSource, options: TrainStepOptions): Promise<StatefulProgram>;
  /** Releases what the runtime holds, its programs with it, after the runs under way; it compiles no more. */
  dispose(): void | Promise<void>;
}
