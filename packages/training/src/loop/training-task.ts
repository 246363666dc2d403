import type { Feeds, FloatScalar, NamedTensors, ParameterTree, Symbolic } from '@user-llm/graph';
import type { JsonValue } from '@user-llm/plugin';
import type { Tensor } from '@user-llm/tensor';

/** What one step learns from. */
export interface TrainingBatch {
  /** The inputs of `LossGraph.inputs` but for `seed`, by name. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** How many examples are in it: windows of users, texts, questions. */
  readonly examples: number;
  /** What they are, in ids: written to a file when the batch breaks the training. */
  readonly contents: JsonValue;
  /** The place after this batch, for `TrainingTask.batches` to go on from. */
  readonly cursor: JsonValue;
}

/** A loss as a graph, for batches of one combination of shapes. */
export interface LossGraph {
  /** What is fed, made by `input`; one named `seed` (int32, no axes) is fed a number that changes with every step. */
  readonly inputs: readonly Symbolic[];
  /** The mean over what counts in the batch. */
  readonly loss: FloatScalar;
  /** Further numbers to show beside it. */
  readonly metrics?: NamedTensors;
}

/** What a model gets better at: parameters, a loss over batches, and how to tell on data that is not trained on. */
export interface TrainingTask {
  readonly name: string;
  /** Everything the loss may read. */
  readonly parameters: ParameterTree;
  /**
   * The loss for batches of these shapes.
   *
   * @param parameters Symbolic parameters in the form of `parameters`.
   * @param shapes Sizes of the feeds, by name.
   */
  loss(parameters: never, shapes: Readonly<Record<string, readonly number[]>>): LossGraph;
  /**
   * Batches without end. The same cursor gives the same batches.
   *
   * @param from The cursor of the last batch that was used; from the beginning when absent.
   */
  batches(from?: JsonValue): AsyncIterable<TrainingBatch>;
  /**
   * Figures on held-out data.
   *
   * @param weights All parameters, by name.
   */
  validate?(weights: Feeds, signal?: AbortSignal): Promise<Readonly<Record<string, number>>>;
}
