import { readFile } from 'node:fs/promises';
import { loadTokenizer, trainBpe, type JsonTokenizer } from '@user-llm/llm';
import type { Registry } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { catalogueTexts, promptTexts } from '../data/texts.js';
import type { TokenizedData } from '../data/training-data.js';
import { readStart } from './start-weights.js';
import type { RunConfig } from './run-config.js';
import type { RunFolder } from './run-folder.js';

const tokenizerName = 'tokenizer.json';

/** Prompts, over all tasks, that a tokenizer learns from. */
const promptCount = 2000;

/**
 * The LLM's tokenizer: that which the run has made before, that of the model it starts from, that of a file, or one that
 * is trained. It is kept in the run's folder.
 *
 * @throws UserLlmError `bad-tokenizer` when a file is none.
 */
export async function prepareText(
  config: RunConfig,
  data: TokenizedData,
  registry: Registry,
  folder: RunFolder,
): Promise<JsonTokenizer> {
  const kept = await folder.readJson(tokenizerName);
  if (kept !== undefined) return loadTokenizer(kept);
  const tokenizer = loadTokenizer(await newTokenizer(config, data, registry));
  await folder.writeJson(tokenizer.json, tokenizerName);
  return tokenizer;
}

async function newTokenizer(config: RunConfig, data: TokenizedData, registry: Registry): Promise<unknown> {
  const { text, seed } = config;
  if (text?.kind === 'file') {
    return readFile(text.path, 'utf8').catch((cause: unknown) => Promise.reject(noTokenizer(text.path, cause)));
  }
  const started = text === undefined ? await readStart(config, tokenizerName) : undefined;
  if (started !== undefined) return started;
  return trainBpe(tokenizerTexts(config, data, registry, seed), {
    vocabularySize: text?.kind === 'train' ? text.vocabularySize : 4096,
  });
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
