import { stat } from 'node:fs/promises';
import { UserLlmError } from '@user-llm/tensor';
import { loadHuggingFace, type FamilyOptions, type LoadedLanguageModel } from './hugging-face.js';
import { loadLlama2c } from './llama2c.js';

/**
 * A language model from where it lies: a Hugging Face folder (`config.json`, safetensors, `tokenizer.json`), or a
 * checkpoint of llama2.c (`*.bin`, with its tokenizer beside it).
 *
 * @throws UserLlmError `unknown-format` for anything else, and what the readers throw: see the README.
 */
export async function loadLanguageModel(path: string, options: FamilyOptions = {}): Promise<LoadedLanguageModel> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new UserLlmError('unreadable-file', {
      what: path,
      expected: 'a folder or a file',
      got: cause instanceof Error ? cause.message : String(cause),
      mend: 'Check the path.',
      cause,
    });
  });
  if (found.isDirectory()) return loadHuggingFace(path, options);
  if (path.endsWith('.bin')) return loadLlama2c(path);
  throw new UserLlmError('unknown-format', {
    what: path,
    expected: 'a Hugging Face folder (config.json, *.safetensors, tokenizer.json), or a llama2.c checkpoint (*.bin)',
    got: 'another file',
    mend: 'Convert the model to one of these.',
  });
}
