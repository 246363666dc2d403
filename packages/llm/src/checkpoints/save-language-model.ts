import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { flattenParameters } from '@user-llm/graph';
import { writeFileAtomically, writeSafetensors, type NamedTensor, type Tensor } from '@user-llm/tensor';
import { familyNamed, requireCheckpoints, type CheckpointFamily } from '../families/known-families.js';
import { quantizationMethod, quantizedTensors } from '../quantization/quantized-folder.js';
import { QuantizedMatrix, type Weight } from '../quantization/quantized-matrix.js';
import type { JsonTokenizer } from '../text/load-tokenizer.js';
import type { FamilyOptions } from './hugging-face.js';
import { storedFrom, storedTensors } from './state-dict.js';

/** A language model to be written. */
export interface SavedLanguageModel {
  readonly family: string;
  readonly config: unknown;
  readonly weights: Readonly<Record<string, Weight>>;
  readonly tokenizer?: JsonTokenizer;
}

/**
 * Writes a language model as a Hugging Face folder, which transformers reads too: weights and tokenizer first, then
 * `config.json`, each file whole or not at all. Where matrices are of few bits, tensors have our names and the layout that
 * the README tells, which `loadLanguageModel` alone reads.
 *
 * @throws UserLlmError `unknown-family`, `no-checkpoints`, `missing-weight`, `write-failed`.
 */
export async function saveLanguageModel(
  folder: string,
  model: SavedLanguageModel,
  { families }: FamilyOptions = {},
): Promise<void> {
  const family = requireCheckpoints(familyNamed(model.family, families));
  const { config, tensors } = isReal(model.weights)
    ? huggingFaceTensors(family, model.config, model.weights)
    : { config: model.config, tensors: quantizedTensors(family, model.config, model.weights) };
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  const json = (name: string, content: unknown): Promise<void> =>
    writeFileAtomically(join(folder, name), jsonText(content));
  const { tokenizer } = model;
  if (tokenizer) {
    await json('tokenizer.json', tokenizer.json);
    await json('tokenizer_config.json', tokenizerConfig(tokenizer));
    if (tokenizer.chatTemplate !== undefined)
      await writeFileAtomically(join(folder, 'chat_template.jinja'), tokenizer.chatTemplate);
  }
  await json('config.json', {
    ...family.checkpoints.toHuggingFace(config),
    ...(!isReal(model.weights) && { quantization_config: { quant_method: quantizationMethod } }),
    ...(tokenizer && {
      bos_token_id: tokenizer.begin ?? null,
      eos_token_id: tokenizer.ends.length > 1 ? tokenizer.ends : tokenizer.end,
      pad_token_id: tokenizer.padding ?? null,
    }),
  });
}

/** Fields that transformers takes as `30.0` alone, where it reads them as lines of JSON. */
const realFields =
  /^( *"(?:initializer_range|rms_norm_eps|layer_norm_epsilon|attention_factor|(?:attn|final)_logit_softcapping)": \d+)(,?)$/gm;

function jsonText(content: unknown): string {
  return `${JSON.stringify(content, null, 2).replace(realFields, '$1.0$2')}\n`;
}

function isReal(weights: Readonly<Record<string, Weight>>): weights is Readonly<Record<string, Tensor>> {
  return !Object.values(weights).some((weight) => weight instanceof QuantizedMatrix);
}

function huggingFaceTensors(
  family: CheckpointFamily,
  given: unknown,
  weights: Readonly<Record<string, Tensor>>,
): { readonly config: unknown; readonly tensors: NamedTensor[] } {
  const { checkpoints } = family;
  const plain = checkpoints.asHuggingFaceHasIt?.(given, weights) ?? { config: given, weights };
  const parameters = flattenParameters(family.build(plain.config).parameters);
  const tensors = storedTensors(checkpoints.stateDict?.(plain.config) ?? [], parameters).map(
    (stored) => [stored.name, storedFrom(stored, plain.weights)] as const,
  );
  return { config: plain.config, tensors };
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
