import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';
import { loadGguf, loadStoredGguf } from '../gguf/load-gguf.js';
import type { Weight } from '../quantization/quantized-matrix.js';
import type { JsonTokenizer } from '../text/load-tokenizer.js';
import { loadFolderTokenizer, tokenIds } from './folder-tokenizer.js';
import { loadHuggingFace, loadStoredHuggingFace, type ReadOptions } from './hugging-face.js';
import { loadLlama2c } from './llama2c.js';
import type { LoadedLanguageModel } from './loaded-language-model.js';
import { filesOf, parseJson, readBytesIfThere, unreadable } from './read-files.js';
import { refusePickle } from './refuse-pickles.js';

/** How a checkpoint is read. */
export interface LoadOptions extends ReadOptions {
  /** `float32` makes real numbers of all weights, `as-stored` keeps matrices of few bits; the first unless told. */
  readonly weights?: 'float32' | 'as-stored';
}

/**
 * A language model from where it lies: a Hugging Face folder (`config.json`, safetensors, `tokenizer.json`) or one that
 * `saveLanguageModel` has made of few bits, a GGUF file or a folder with one, or a checkpoint of llama2.c (`*.bin`, with
 * its tokenizer beside it).
 *
 * @throws UserLlmError `unknown-format` for anything else, and what the readers throw: see the README.
 */
export function loadLanguageModel(
  path: string,
  options?: LoadOptions & { readonly weights?: 'float32' },
): Promise<LoadedLanguageModel>;
export function loadLanguageModel(
  path: string,
  options: LoadOptions & { readonly weights: 'as-stored' },
): Promise<LoadedLanguageModel<Weight>>;
export async function loadLanguageModel(
  path: string,
  { weights = 'float32', ...options }: LoadOptions = {},
): Promise<LoadedLanguageModel | LoadedLanguageModel<Weight>> {
  const stored = weights === 'as-stored';
  const { kind, file, tokenizer } = await checkpointAt(path, options);
  if (kind === 'gguf') return (stored ? loadStoredGguf : loadGguf)(file, { ...options, tokenizer });
  if (kind === 'llama2c') return loadLlama2c(file, options);
  return (stored ? loadStoredHuggingFace : loadHuggingFace)(file, options);
}

interface Checkpoint {
  readonly kind: 'hugging-face' | 'gguf' | 'llama2c';
  /** The file, or the folder. */
  readonly file: string;
  /** Where it lies beside a GGUF file. */
  readonly tokenizer?: JsonTokenizer | undefined;
}

async function checkpointAt(path: string, options: ReadOptions): Promise<Checkpoint> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (found.isDirectory()) return checkpointIn(path, options);
  await refusePickle(path);
  if (path.endsWith('.gguf')) return { kind: 'gguf', file: path };
  if (path.endsWith('.bin')) return { kind: 'llama2c', file: path };
  throw unknownFormat(path, 'another file', 'Convert the model to one of these.');
}

async function checkpointIn(folder: string, { withTokenizer = true }: ReadOptions): Promise<Checkpoint> {
  const files = await filesOf(folder);
  const ggufs = files.filter((file) => file.endsWith('.gguf'));
  if (!files.some((file) => /^config\.json$|\.safetensors|\.gguf$/.test(file)))
    throw unknownFormat(folder, 'a folder with none of these', 'Give the path of the folder or file of a model.');
  if (ggufs.length === 0 || files.some((file) => file.includes('.safetensors')))
    return { kind: 'hugging-face', file: folder };
  if (ggufs.length > 1) throw unknownFormat(folder, `${ggufs.length} GGUF files`, 'Give the path of one of them.');
  if (!withTokenizer) return { kind: 'gguf', file: join(folder, ggufs[0]!) };
  const config = join(folder, 'config.json');
  const bytes = await readBytesIfThere(config);
  const told = tokenIds.safeParse(bytes ? parseJson(config, bytes) : {}).data ?? {};
  const tokenizer = await loadFolderTokenizer(folder, told);
  return { kind: 'gguf', file: join(folder, ggufs[0]!), tokenizer };
}

function unknownFormat(path: string, got: string, mend: string): UserLlmError {
  return new UserLlmError('unknown-format', {
    what: path,
    expected:
      'a Hugging Face folder (config.json, *.safetensors, tokenizer.json), a GGUF file or a folder with one, or a llama2.c checkpoint (*.bin)',
    got,
    mend,
  });
}
