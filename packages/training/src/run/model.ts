import type { ParameterTree } from '@user-llm/graph';
import type { Registry, TextTokenizer, UserEncoderModule } from '@user-llm/plugin';
import { composeInputs, composeUserLlm, parseUserLlmConfig, partConfig, type UserLlmModel } from '@user-llm/user-llm';
import type { TokenizedData } from '../data/training-data.js';
import type { RunConfig } from './run-config.js';

/** What a run trains: a whole User-LLM, or a user encoder alone. */
export interface RunModel {
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
    const userLlm = composeUserLlm(parseUserLlmConfig(withVocabulary(config, text)), inputs);
    return { encoder: userLlm.encoder, userLlm, parameters: userLlm.parameters as ParameterTree };
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
  return { encoder, parameters: { encoder: encoder.parameters } };
}

/** The config with the size of the tokenizer's vocabulary, unless it names a size itself. */
function withVocabulary({ llm, ...config }: RunConfig['model'], text: TextTokenizer | undefined): unknown {
  const size = text && { vocabularySize: text.vocabularySize };
  return { ...config, llm: { ...llm, config: { ...size, ...llm?.config } } };
}
