import { join } from 'node:path';
import type { LanguageModel } from '@user-llm/plugin';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import { z } from 'zod';
import { checkedWeights } from '../decoding/checked-weights.js';
import { problemsOf } from '../families/config-fields.js';
import { familyOf, type CheckpointFamily } from '../families/known-families.js';
import { isQuantized, loadQuantizedWeights } from '../quantization/quantized-folder.js';
import type { Weight } from '../quantization/quantized-matrix.js';
import { loadFolderTokenizer, tokenIds } from './folder-tokenizer.js';
import { loadWeights } from './load-weights.js';
import { requireOwnTokenizer, type LoadedLanguageModel } from './loaded-language-model.js';
import { filesOf, parseJson, readBytes } from './read-files.js';
import { pickledWeights, pickleNames } from './refuse-pickles.js';

/** Which checkpoints are known. */
export interface FamilyOptions {
  /** Families besides the built-in ones, which they come before; a registry's `llms` will do. */
  readonly families?: readonly LanguageModel[];
}

/** How a checkpoint is read, whatever its kind. */
export interface ReadOptions extends FamilyOptions {
  /** Whether the tokenizer is read, too; true unless told. */
  readonly withTokenizer?: boolean;
}

const configFile = tokenIds.extend({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
});

/**
 * A Hugging Face folder: `config.json`, `*.safetensors` (one file or shards), and `tokenizer.json` where there is one; or
 * a folder that `saveLanguageModel` has made of matrices of few bits, which become real numbers.
 *
 * @throws UserLlmError `unknown-architecture`, `bad-config`, `bad-checkpoint`, `unreadable-file`, `wrong-tokenizer`
 *   when the tokenizer has more tokens than the model, or lacks one that the folder names, `pickled-weights` for a folder
 *   with those alone, `unsupported-quantization`, and what `loadWeights` and `loadTokenizer` throw.
 */
export async function loadHuggingFace(folder: string, options: ReadOptions = {}): Promise<LoadedLanguageModel> {
  const { family, config, quantized, ...rest } = await readFolder(folder, options);
  if (!quantized) return { family: family.name, config, weights: await loadWeights(folder, family, config), ...rest };
  const stored = await loadQuantizedWeights(folder, family, config);
  const weights = checkedWeights(family.build(config).parameters, stored, '', false);
  return { family: family.name, config, weights: weights as Record<string, Tensor<'float32'>>, ...rest };
}

/** The same with matrices of few bits as they are stored. */
export async function loadStoredHuggingFace(
  folder: string,
  options: ReadOptions = {},
): Promise<LoadedLanguageModel<Weight>> {
  const { family, config, quantized, ...rest } = await readFolder(folder, options);
  const load: (...given: [string, CheckpointFamily, unknown]) => Promise<Record<string, Weight>> = quantized
    ? loadQuantizedWeights
    : loadWeights;
  return { family: family.name, config, weights: await load(folder, family, config), ...rest };
}

interface ReadFolder extends Pick<LoadedLanguageModel, 'config' | 'tokenizer'> {
  readonly family: CheckpointFamily;
  /** Whether it holds matrices of few bits. */
  readonly quantized: boolean;
}

/** What a folder says beside its weights. */
async function readFolder(folder: string, { families, withTokenizer = true }: ReadOptions): Promise<ReadFolder> {
  const path = join(folder, 'config.json');
  const json = parseJson(path, await readBytes(path));
  const header = configFile.safeParse(json);
  if (!header.success)
    throw new UserLlmError('bad-checkpoint', {
      what: path,
      expected: 'the config.json of a model',
      got: problemsOf(header.error),
      mend: 'Give a config.json as transformers 4 or 5 writes it.',
      cause: header.error,
    });
  const family = familyOf(header.data, families);
  const config = family.checkpoints.fromHuggingFace(json);
  const quantized = isQuantized(path, json);
  await refusePickles(folder);
  const tokenizer = withTokenizer ? await loadFolderTokenizer(folder, header.data) : undefined;
  requireOwnTokenizer(folder, tokenizer, family.build(config).vocabularySize);
  return { family, config, quantized, ...(tokenizer && { tokenizer }) };
}

async function refusePickles(folder: string): Promise<void> {
  const files = await filesOf(folder);
  const pickled = files.find((file) => pickleNames.test(file));
  if (pickled === undefined || files.some((file) => /\.safetensors(\.index\.json)?$/.test(file))) return;
  throw pickledWeights(join(folder, pickled));
}
