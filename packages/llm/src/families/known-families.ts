import type { CheckpointFormat, LanguageModel } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { gemma2 } from './gemma2/gemma2.js';
import { gemma3 } from './gemma3/gemma3.js';
import { gpt2 } from './gpt2/gpt2.js';
import { llama } from './llama/llama.js';
import { mistral } from './mistral/mistral.js';
import { phi3 } from './phi3/phi3.js';
import { qwen2 } from './qwen2/qwen2.js';
import { qwen3 } from './qwen3/qwen3.js';

/** The families that are known without being told. */
export const languageModels: readonly LanguageModel[] = [gpt2, llama, mistral, qwen2, qwen3, gemma2, gemma3, phi3];

/** A family whose checkpoints can be read and written. */
export interface CheckpointFamily<Config = unknown> extends LanguageModel<Config> {
  readonly checkpoints: CheckpointFormat<Config>;
}

/** Those given, then the built-in ones, even where these are among the given, as in a registry. */
function knownFamilies(given: readonly LanguageModel[]): readonly LanguageModel[] {
  return [...given.filter((family) => !languageModels.includes(family)), ...languageModels];
}

/** Whether a family says how its checkpoints are read and written. */
export function hasCheckpoints(family: LanguageModel): family is CheckpointFamily {
  return family.checkpoints !== undefined;
}

/**
 * The family of a name.
 *
 * @param families Besides the built-in ones, which they come before.
 * @throws UserLlmError `unknown-family`, which lists those known.
 */
export function familyNamed(name: string, families: readonly LanguageModel[] = []): LanguageModel {
  const known = knownFamilies(families);
  const found = known.find((family) => family.name === name);
  if (found) return found;
  throw new UserLlmError('unknown-family', {
    what: 'family of a language model',
    expected: `one of ${known.map((family) => family.name).join(', ')}`,
    got: name,
    mend: 'Give a family of your own as one of `families`; docs/guides/add-a-model-family.md says how to make one.',
  });
}

/** @throws UserLlmError `no-checkpoints` for a family that does not say how they are written. */
export function requireCheckpoints(family: LanguageModel): CheckpointFamily {
  if (hasCheckpoints(family)) return family;
  throw new UserLlmError('no-checkpoints', {
    what: `family ${family.name}`,
    expected: '`checkpoints`, which says how its models are read and written',
    got: 'none',
    mend: 'Give the family this field: docs/guides/add-a-model-family.md says how.',
  });
}

/** What tells the family of a checkpoint. */
export interface HuggingFaceHeader {
  readonly architectures?: readonly string[] | null | undefined;
  readonly model_type?: string | null | undefined;
}

/**
 * The family of a `config.json`.
 *
 * @param families Besides the built-in ones, which they come before; those without `checkpoints` are passed over.
 * @throws UserLlmError `unknown-architecture`, which lists those known.
 */
export function familyOf(
  { architectures, model_type }: HuggingFaceHeader,
  families: readonly LanguageModel[] = [],
): CheckpointFamily {
  const known = knownFamilies(families).filter(hasCheckpoints);
  const found = known.find(({ checkpoints }) =>
    architectures && architectures.length > 0
      ? architectures.some((name) => checkpoints.architectures.includes(name))
      : checkpoints.modelType === model_type,
  );
  if (found) return found;
  throw new UserLlmError('unknown-architecture', {
    what: 'config.json',
    expected: `an architecture among ${known.flatMap(({ checkpoints }) => checkpoints.architectures).join(', ')}`,
    got: architectures?.join(', ') || model_type || 'none',
    mend: 'Add the plugin of its family (docs/guides/add-a-model-family.md says how to make one), or convert it to one of these.',
  });
}
