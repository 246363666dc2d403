import type { LanguageModel } from '@user-llm/plugin';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import { gemma2Checkpoints } from './gemma2/hugging-face.js';
import { gemma3Checkpoints } from './gemma3/hugging-face.js';
import { gpt2Checkpoints } from './gpt2/hugging-face.js';
import { llamaCheckpoints } from './llama/hugging-face.js';
import { mistralCheckpoints } from './mistral/hugging-face.js';
import { phi3Checkpoints } from './phi3/hugging-face.js';
import { qwen2Checkpoints } from './qwen2/hugging-face.js';
import { qwen3Checkpoints } from './qwen3/hugging-face.js';
import type { StoredTensor } from './state-dict.js';

/** How a family's checkpoints are read and written. */
export interface CheckpointFamily<Config = unknown> {
  readonly part: LanguageModel<Config>;
  /** Names under which `config.json` lists it, in `architectures`. */
  readonly architectures: readonly string[];
  /** Its `model_type` there. */
  readonly modelType: string;
  /** The family's config from Hugging Face's. */
  fromHuggingFace(config: unknown): Config;
  /** The other way. */
  toHuggingFace(config: Config): Readonly<Record<string, unknown>>;
  /** Tensors of a checkpoint that are not one parameter under its own name; none when absent. */
  stateDict?(config: Config): readonly StoredTensor[];
  /** An equal model, where the family has forms that Hugging Face's code has not. */
  asHuggingFaceHasIt?(
    config: Config,
    weights: Readonly<Record<string, Tensor>>,
  ): { readonly config: Config; readonly weights: Readonly<Record<string, Tensor>> };
}

/** The families whose checkpoints are known without being told. */
export const builtInFamilies: readonly CheckpointFamily[] = [
  gpt2Checkpoints,
  llamaCheckpoints,
  mistralCheckpoints,
  qwen2Checkpoints,
  qwen3Checkpoints,
  gemma2Checkpoints,
  gemma3Checkpoints,
  phi3Checkpoints,
];

/** The built-in families themselves, for a registry. */
export const languageModels: readonly LanguageModel[] = builtInFamilies.map(({ part }) => part);

/**
 * The family of a name.
 *
 * @throws UserLlmError `unknown-family`, which lists those known.
 */
export function familyNamed(name: string, families: readonly CheckpointFamily[]): CheckpointFamily {
  const found = families.find(({ part }) => part.name === name);
  if (found) return found;
  throw new UserLlmError('unknown-family', {
    what: 'family of a language model',
    expected: `one of ${families.map(({ part }) => part.name).join(', ')}`,
    got: name,
    mend: 'Give a family of your own as one of `families`; docs/guides/add-a-model-family.md says how to make one.',
  });
}

/** What tells the family of a checkpoint. */
export interface HuggingFaceHeader {
  readonly architectures?: readonly string[] | undefined;
  readonly model_type?: string | undefined;
}

/**
 * The family of a `config.json`.
 *
 * @throws UserLlmError `unknown-architecture`, which lists those known.
 */
export function familyOf(
  { architectures, model_type }: HuggingFaceHeader,
  families: readonly CheckpointFamily[],
): CheckpointFamily {
  const found = families.find((family) =>
    architectures && architectures.length > 0
      ? architectures.some((name) => family.architectures.includes(name))
      : family.modelType === model_type,
  );
  if (found) return found;
  throw new UserLlmError('unknown-architecture', {
    what: 'config.json',
    expected: `an architecture among ${families.flatMap((family) => family.architectures).join(', ')}`,
    got: architectures?.join(', ') ?? model_type ?? 'none',
    mend: 'Convert the checkpoint to one of these, or add its family: docs/guides/add-a-model-family.md says how.',
  });
}
