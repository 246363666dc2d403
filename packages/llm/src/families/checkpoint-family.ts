import type { LanguageModel } from '@user-llm/plugin';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import type { LlamaConfig } from './llama/config.js';
import { withoutInterleaving } from './llama/head-order.js';
import { llamaFromHuggingFace, llamaToHuggingFace } from './llama/hugging-face.js';
import { llama } from './llama/llama.js';

/** How a family's checkpoints are read and written. */
export interface CheckpointFamily {
  readonly part: LanguageModel<unknown>;
  /** Names under which `config.json` lists it, in `architectures`. */
  readonly architectures: readonly string[];
  /** Its `model_type` there. */
  readonly modelType: string;
  /** The family's config from Hugging Face's. */
  fromHuggingFace(config: unknown): unknown;
  /** The other way, with the weights in Hugging Face's order. */
  toHuggingFace(
    config: unknown,
    weights: Readonly<Record<string, Tensor>>,
  ): { readonly config: Readonly<Record<string, unknown>>; readonly weights: Readonly<Record<string, Tensor>> };
}

/** The families whose checkpoints are known, by our names. */
export const checkpointFamilies: Readonly<Record<string, CheckpointFamily>> = {
  llama: {
    part: llama as LanguageModel<unknown>,
    architectures: ['LlamaForCausalLM'],
    modelType: 'llama',
    fromHuggingFace: llamaFromHuggingFace,
    toHuggingFace: (config, weights) => {
      const plain = withoutInterleaving(config as LlamaConfig, weights);
      return { config: llamaToHuggingFace(plain.config), weights: plain.weights };
    },
  },
};

/**
 * The family of a `config.json`.
 *
 * @throws UserLlmError `unknown-architecture`, which lists those known.
 */
export function familyOf({ architectures, model_type }: HuggingFaceHeader): [string, CheckpointFamily] {
  const found = Object.entries(checkpointFamilies).find(([, family]) =>
    architectures && architectures.length > 0
      ? architectures.some((name) => family.architectures.includes(name))
      : family.modelType === model_type,
  );
  if (found) return found;
  throw new UserLlmError('unknown-architecture', {
    what: 'config.json',
    expected: `an architecture among ${Object.values(checkpointFamilies)
      .flatMap((family) => family.architectures)
      .join(', ')}`,
    got: architectures?.join(', ') ?? model_type ?? 'none',
    mend: 'Convert the checkpoint to one of these, or add a family beside src/families/llama.',
  });
}

/** What tells the family of a checkpoint. */
export interface HuggingFaceHeader {
  readonly architectures?: readonly string[] | undefined;
  readonly model_type?: string | undefined;
}
