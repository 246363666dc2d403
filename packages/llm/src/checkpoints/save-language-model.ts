import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { flattenParameters } from '@user-llm/graph';
import { writeFileAtomically, writeSafetensors, type Tensor } from '@user-llm/tensor';
import { builtInFamilies, familyNamed } from '../families/checkpoint-family.js';
import type { JsonTokenizer } from '../text/load-tokenizer.js';
import type { FamilyOptions } from './hugging-face.js';
import { storedFrom, storedTensors } from './state-dict.js';

/** A language model to be written. */
export interface SavedLanguageModel {
  readonly family: string;
  readonly config: unknown;
  readonly weights: Readonly<Record<string, Tensor>>;
  readonly tokenizer?: JsonTokenizer;
}

/**
 * Writes a language model as a Hugging Face folder, which transformers reads too: weights and tokenizer first, then
 * `config.json`, each file whole or not at all.
 *
 * @throws UserLlmError `unknown-family`, `missing-weight`, `write-failed`.
 */
export async function saveLanguageModel(
  folder: string,
  model: SavedLanguageModel,
  { families = [] }: FamilyOptions = {},
): Promise<void> {
  const family = familyNamed(model.family, [...families, ...builtInFamilies]);
  const plain = family.asHuggingFaceHasIt?.(model.config, model.weights) ?? model;
  const parameters = flattenParameters(family.part.build(plain.config).parameters);
  const tensors = storedTensors(family.stateDict?.(plain.config) ?? [], parameters).map(
    (stored) => [stored.name, storedFrom(stored, plain.weights)] as const,
  );
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  const json = (name: string, content: unknown): Promise<void> =>
    writeFileAtomically(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
  const { tokenizer } = model;
  if (tokenizer) {
    await json('tokenizer.json', tokenizer.json);
    await json('tokenizer_config.json', tokenizerConfig(tokenizer));
  }
  await json('config.json', {
    ...family.toHuggingFace(plain.config),
    ...(tokenizer && {
      bos_token_id: tokenizer.begin ?? null,
      eos_token_id: tokenizer.end,
      pad_token_id: tokenizer.padding ?? null,
    }),
  });
}

function tokenizerConfig({ begin, end, padding, specialTokens }: JsonTokenizer): Readonly<Record<string, unknown>> {
  const name = (id: number | undefined): string | null =>
    Object.entries(specialTokens).find(([, own]) => own === id)?.[0] ?? null;
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: name(begin),
    eos_token: name(end),
    pad_token: name(padding),
    clean_up_tokenization_spaces: false,
  };
}
