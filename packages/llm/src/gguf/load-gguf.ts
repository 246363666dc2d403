import type { ReadOptions } from '../checkpoints/hugging-face.js';
import { requireOwnTokenizer, type LoadedLanguageModel } from '../checkpoints/loaded-language-model.js';
import { familyOf } from '../families/known-families.js';
import type { Weight } from '../quantization/quantized-matrix.js';
import type { JsonTokenizer } from '../text/load-tokenizer.js';
import { architectureOf } from './gguf-architectures.js';
import { GgufFile } from './gguf-file.js';
import { GgufMetadata } from './gguf-metadata.js';
import { ggufTokenizer } from './gguf-tokenizer.js';
import { ggufWeights } from './gguf-weights.js';

/** What a GGUF file is read with. */
export interface GgufOptions extends ReadOptions {
  /** The tokenizer, where it does not come from the file's metadata. */
  readonly tokenizer?: JsonTokenizer | undefined;
}

/**
 * A language model in a GGUF file, in real numbers.
 *
 * @throws UserLlmError `unreadable-file`; `bad-checkpoint` for a file that is damaged, cut short or split;
 *   `unsupported-quantization`, `unknown-architecture`, `bad-config`, `missing-weight`, `shape-mismatch`, `unknown-weight`,
 *   `too-large`, `bad-tokenizer`, `wrong-tokenizer`.
 */
export function loadGguf(path: string, options: GgufOptions = {}): Promise<LoadedLanguageModel> {
  return load(path, options, (file) => (name) => file.read(name));
}

/** The same with matrices of few bits as they are stored. */
export function loadStoredGguf(path: string, options: GgufOptions = {}): Promise<LoadedLanguageModel<Weight>> {
  return load<Weight>(path, options, (file) => (name) => file.readStored(name));
}

async function load<W extends Weight>(
  path: string,
  { tokenizer: given, families, withTokenizer = true }: GgufOptions,
  reader: (file: GgufFile) => (name: string) => Promise<W>,
): Promise<LoadedLanguageModel<W>> {
  const file = await GgufFile.open(path);
  try {
    const metadata = new GgufMetadata(path, file.metadata);
    const parts = metadata.number('split.count') ?? 1;
    if (parts > 1)
      throw metadata.bad('split.count', 'a file that is whole; gguf-split --merge joins parts', `${parts} parts`);
    const { architecture, config: huggingFace } = await architectureOf(file);
    const family = familyOf(huggingFace, families);
    const config = family.checkpoints.fromHuggingFace(huggingFace);
    const llm = family.build(config);
    const tokenizer = withTokenizer ? (given ?? ggufTokenizer(metadata)) : undefined;
    requireOwnTokenizer(path, tokenizer, llm.vocabularySize);
    const weights = await ggufWeights(file, llm, architecture, reader(file));
    return { family: family.name, config, weights, ...(tokenizer && { tokenizer }) };
  } finally {
    await file.close();
  }
}
