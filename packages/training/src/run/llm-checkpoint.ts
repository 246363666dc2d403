import { loadLanguageModel, type JsonTokenizer, type LoadedLanguageModel } from '@user-llm/llm';
import type { Registry } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import type { RunConfig } from './run-config.js';

/** An LLM that a run starts from, with its own tokenizer. */
export interface LlmCheckpoint extends LoadedLanguageModel {
  readonly tokenizer: JsonTokenizer;
}

/**
 * The checkpoint that `text` names, of any family in the registry; nothing where the LLM is trained from scratch.
 *
 * @throws UserLlmError as `loadLanguageModel`; `bad-tokenizer` when the checkpoint has none.
 */
export async function llmCheckpoint({ text }: RunConfig, registry: Registry): Promise<LlmCheckpoint | undefined> {
  if (text?.kind !== 'checkpoint') return undefined;
  const families = [...registry.all('llms').values()];
  const { tokenizer, ...loaded } = await loadLanguageModel(text.path, { families });
  if (tokenizer) return { ...loaded, tokenizer };
  throw new UserLlmError('bad-tokenizer', {
    what: text.path,
    expected: 'a tokenizer beside the weights',
    got: 'none',
    mend: "Put the model's tokenizer.json into its folder.",
  });
}

/** The run with the LLM of its checkpoint. */
export function withCheckpoint(config: RunConfig, checkpoint: LlmCheckpoint | undefined): RunConfig {
  if (!checkpoint) return config;
  const own = checkpoint.config as NonNullable<RunConfig['model']['llm']>['config'];
  return { ...config, model: { ...config.model, llm: { name: checkpoint.family, config: own } } };
}
