import type { ParameterTree } from '@user-llm/graph';
import type { Registry, TextTokenizer, UserEncoderModule } from '@user-llm/plugin';
import {
  composeInputs,
  composeUserLlm,
  parseUserLlmConfig,
  partConfig,
  type PartChoice,
  type UserLlmModel,
} from '@user-llm/user-llm';
import type { TokenizedData } from '../data/training-data.js';
import type { RunConfig } from './run-config.js';

/** What a run trains: a whole User-LLM, or a user encoder alone. */
export interface RunModel {
  /** Its config, the defaults of the parts' own configs filled in. */
  readonly config: RunConfig['model'];
  readonly encoder: UserEncoderModule;
  /** Absent when there is no LLM. */
  readonly userLlm?: UserLlmModel;
  readonly parameters: ParameterTree;
}

/**
 * Builds the model of a run.
 *
 * @throws UserLlmError as `composeUserLlm`.
 */
export function buildModel(
  config: RunConfig['model'],
  registry: Registry,
  { tokenizer, vectors, seen }: Pick<TokenizedData, 'tokenizer' | 'vectors' | 'seen'>,
  text: TextTokenizer | undefined,
): RunModel {
  const inputs = { ...composeInputs(tokenizer, config.item, registry, vectors), ...(seen && { seen }) };
  if (config.llm) {
    const llm = text ? withVocabulary(config.llm, text.vocabularySize) : config.llm;
    const userLlm = composeUserLlm(parseUserLlmConfig({ ...config, llm }), inputs);
    return {
      config: userLlm.config,
      encoder: userLlm.encoder,
      userLlm,
      parameters: userLlm.parameters as ParameterTree,
    };
  }
  const part = registry.get('encoders', config.encoder.name);
  const own = partConfig(`encoders ${JSON.stringify(part.name)}`, part, config.encoder.config);
  const { features, itemFeatures } = inputs;
  const encoder = part.build(own, {
    features,
    item: config.item,
    ...(vectors && { vectors }),
    ...(seen && { seen }),
    ...(itemFeatures && { itemFeatures }),
  });
  const filled = { name: part.name, config: own as PartChoice['config'] };
  return { config: { ...config, encoder: filled }, encoder, parameters: { encoder: encoder.parameters } };
}

/** An LLM with a vocabulary of this size, unless its config names a size itself. */
export function withVocabulary({ name, config }: PartChoice, vocabularySize: number): PartChoice {
  return { name, config: { vocabularySize, ...config } };
}
