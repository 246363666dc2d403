import type { Tensor } from '@user-llm/tensor';

/** A tensor of a checkpoint, and which parameters it holds. */
export interface StoredTensor {
  /** Its name in the checkpoint. */
  readonly name: string;
  /** Parameters by our names; of several, the outputs stand one after the other. */
  readonly holds: readonly string[];
  /** Whether a matrix is stored as `[inputs, outputs]`; ours are `[outputs, inputs]`. */
  readonly transposed?: boolean;
}

/** How Hugging Face's checkpoints of a family of LLMs are read and written. */
export interface CheckpointFormat<Config = unknown> {
  /** Names under which `config.json` lists the family, in `architectures`. */
  readonly architectures: readonly string[];
  /** Its `model_type` there. */
  readonly modelType: string;
  /**
   * The family's config from Hugging Face's.
   *
   * @throws UserLlmError `bad-config` for what the family cannot do.
   */
  fromHuggingFace(config: unknown): Config;
  /** The other way, with `architectures` and `model_type`. */
  toHuggingFace(config: Config): Readonly<Record<string, unknown>>;
  /** Tensors of a checkpoint that are not one parameter under its own name; none when absent. */
  stateDict?(config: Config): readonly StoredTensor[];
  /** An equal model, where the family has forms that Hugging Face's code has not. */
  asHuggingFaceHasIt?(
    config: Config,
    weights: Readonly<Record<string, Tensor>>,
  ): { readonly config: Config; readonly weights: Readonly<Record<string, Tensor>> };
}
