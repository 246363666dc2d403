import { readFile } from 'node:fs/promises';
import { loadTokenizer, trainBpe, type JsonTokenizer } from '@user-llm/llm';
import type { Registry } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { modelFiles } from '@user-llm/user-llm';
import { catalogueTexts, promptTexts } from '../data/texts.js';
import type { TokenizedData } from '../data/training-data.js';
import type { Preparation } from './preparation.js';
import type { RunConfig } from './run-config.js';
import { startJson } from './start-model.js';

/** Prompts, over all tasks, that a tokenizer learns from. */
const promptCount = 2000;

/**
 * The LLM's tokenizer: that which the run has made before, that of the model it starts from, that of a file, or one that
 * is trained.
 *
 * @throws UserLlmError `bad-tokenizer` when a file is none.
 */
export async function prepareText(
  config: RunConfig,
  data: TokenizedData,
  preparation: Preparation,
): Promise<JsonTokenizer> {
  const { kept, registry, start } = preparation;
  if (kept.textTokenizer !== undefined) return loadTokenizer(kept.textTokenizer);
  const { text, seed } = config;
  if (text?.kind === 'file') return loadTokenizer(await tokenizerFile(text.path));
  const started = text === undefined ? await startJson(start, modelFiles.textTokenizer) : undefined;
  if (started !== undefined) return loadTokenizer(started);
  const vocabularySize = text?.kind === 'train' ? text.vocabularySize : 4096;
  return loadTokenizer(trainBpe(tokenizerTexts(config, data, registry, seed), { vocabularySize }));
}

/**
 * What a tokenizer.json holds.
 *
 * @throws UserLlmError `bad-tokenizer` when it cannot be read.
 */
export async function tokenizerFile(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => Promise.reject(noTokenizer(path, cause)));
}

/** What is said of the items, and prompts of all tasks that stages name. */
function* tokenizerTexts(
  { stages }: RunConfig,
  data: TokenizedData,
  registry: Registry,
  seed: number,
): Generator<string> {
  yield* catalogueTexts(data.catalogue);
  const tasks = stages.flatMap((stage) => {
    if (stage.kind === 'tune') return stage.tasks.map(({ name }) => name);
    return stage.kind === 'language' ? (stage.prompts?.tasks ?? []) : [];
  });
  if (tasks.length === 0) return;
  const prompts = { count: promptCount, tasks: [...new Set(tasks)], lastEvents: 10 };
  for (const { prompt, target } of promptTexts(prompts, data, registry, seed)) {
    yield prompt;
    yield ` ${target}`;
  }
}

function noTokenizer(path: string, cause: unknown): UserLlmError {
  return new UserLlmError('bad-tokenizer', {
    what: path,
    expected: 'a tokenizer.json',
    got: cause instanceof Error ? cause.message : String(cause),
    mend: 'Correct text.path.',
    cause,
  });
}
