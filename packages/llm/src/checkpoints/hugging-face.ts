import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import { z } from 'zod';
import { builtInFamilies, familyOf, type CheckpointFamily } from '../families/checkpoint-family.js';
import { loadTokenizer, type JsonTokenizer, type TokenizerRoles } from '../text/load-tokenizer.js';
import { parseTokenizerJson, type TokenizerJson } from '../text/tokenizer-json.js';
import { loadWeights } from './load-weights.js';
import { parseJson, readBytes, readBytesIfThere } from './read-files.js';

/** Which checkpoints are known. */
export interface FamilyOptions {
  /** Families besides the built-in ones, which they come before. */
  readonly families?: readonly CheckpointFamily[];
}

/** A language model as a checkpoint holds it. */
export interface LoadedLanguageModel {
  /** Our name of its family: the `LanguageModel` that builds it. */
  readonly family: string;
  /** The family's config. */
  readonly config: unknown;
  /** Parameters by name. */
  readonly weights: Record<string, Tensor<'float32'>>;
  /** Absent where the checkpoint has none. */
  readonly tokenizer?: JsonTokenizer;
}

const token = z.union([z.string(), z.looseObject({ content: z.string() })]).nullish();
const configFile = z.looseObject({
  architectures: z.array(z.string()).optional(),
  model_type: z.string().optional(),
  bos_token_id: z.number().int().nullish(),
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  pad_token_id: z.number().int().nullish(),
});
const tokenizerFile = z.looseObject({ bos_token: token, eos_token: token, pad_token: token });

/**
 * A Hugging Face folder: `config.json`, `*.safetensors` (one file or shards), and `tokenizer.json` where there is one.
 *
 * @throws UserLlmError `unknown-architecture`, `bad-config`, `bad-checkpoint`, `unreadable-file`, `wrong-tokenizer`
 *   when the tokenizer has more tokens than the model, `pickled-weights` for a folder with those alone, and what
 *   `loadWeights` and `loadTokenizer` throw.
 */
export async function loadHuggingFace(
  folder: string,
  { families = [] }: FamilyOptions = {},
): Promise<LoadedLanguageModel> {
  const path = join(folder, 'config.json');
  const json = parseJson(path, await readBytes(path));
  const header = configFile.safeParse(json);
  if (!header.success)
    throw new UserLlmError('bad-checkpoint', {
      what: path,
      expected: 'the config.json of a model',
      got: header.error.message,
      cause: header.error,
    });
  const family = familyOf(header.data, [...families, ...builtInFamilies]);
  const config = family.fromHuggingFace(json);
  await refusePickles(folder);
  const tokenizer = await loadFolderTokenizer(folder, header.data);
  const weights = await loadWeights(folder, family, config);
  const { vocabularySize } = family.part.build(config);
  if (tokenizer && tokenizer.vocabularySize > vocabularySize)
    throw new UserLlmError('wrong-tokenizer', {
      what: join(folder, 'tokenizer.json'),
      expected: `at most the model's ${vocabularySize} tokens`,
      got: `${tokenizer.vocabularySize}`,
      mend: 'Put the tokenizer of this model in the folder.',
    });
  return { family: family.part.name, config, weights, ...(tokenizer && { tokenizer }) };
}

async function refusePickles(folder: string): Promise<void> {
  const files = await readdir(folder);
  const pickled = files.find((file) => /\.(bin|pt|pth|ckpt)$/.test(file));
  if (pickled === undefined || files.some((file) => /\.safetensors(\.index\.json)?$/.test(file))) return;
  throw new UserLlmError('pickled-weights', {
    what: join(folder, pickled),
    expected: 'weights as safetensors',
    got: 'pickled ones, which can run any code when they are opened',
    mend: 'Download the safetensors of the model, or convert it with save_pretrained(..., safe_serialization=True).',
  });
}

async function loadFolderTokenizer(
  folder: string,
  config: z.output<typeof configFile>,
): Promise<JsonTokenizer | undefined> {
  const path = join(folder, 'tokenizer.json');
  const bytes = await readBytesIfThere(path);
  if (!bytes) return undefined;
  const json = parseTokenizerJson(parseJson(path, bytes));
  return loadTokenizer(json, await rolesOf(folder, json, config));
}

/** Which tokens begin and end, as `tokenizer_config.json` says, else `config.json`. */
async function rolesOf(
  folder: string,
  json: TokenizerJson,
  config: z.output<typeof configFile>,
): Promise<TokenizerRoles> {
  const path = join(folder, 'tokenizer_config.json');
  const bytes = await readBytesIfThere(path);
  const told = tokenizerFile.safeParse(bytes ? parseJson(path, bytes) : {}).data ?? {};
  const special = json.added_tokens.filter((own) => own.special);
  const named = (given: z.output<typeof token>, id: number | null | undefined): string | undefined => {
    const content = typeof given === 'object' ? given?.content : given;
    const found = special.find((own) => own.content === content) ?? special.find((own) => own.id === id);
    return found?.content;
  };
  const eos = config.eos_token_id;
  const begin = named(told.bos_token, config.bos_token_id);
  const end = named(told.eos_token, Array.isArray(eos) ? eos[0] : eos);
  const padding = named(told.pad_token, config.pad_token_id);
  return {
    ...(begin !== undefined && { begin }),
    ...(end !== undefined && { end }),
    ...(padding !== undefined && { padding }),
  };
}
