export { builtInParts, userLlmRegistry } from './built-in-parts.js';
export { userLlmJsonSchema } from './config/json-schema.js';
export { presets, type PresetInputs } from './config/presets.js';
export { partConfig, type PartChoice } from './config/part-choice.js';
export {
  defineUserLlm,
  parseUserLlmConfig,
  userLlmConfig,
  type UserLlmConfig,
  type UserLlmConfigInput,
} from './config/user-llm-config.js';
export {
  composeUserLlm,
  type AnswerBatch,
  type ComposeInputs,
  type TextBatch,
  type UserDecodeStep,
  type UserLlmModel,
} from './compose/compose.js';
export {
  parameterGroup,
  parameterGroupNames,
  type ParameterGroupName,
  type UserLlmParameters,
  type UserLlmTree,
} from './compose/parameters.js';
export type { ChatMessage, TitleTrie } from '@user-llm/llm';
export { decodeAnswer, encodeAnswer, encodeConversation, encodePrompt } from './prompt/prompt-format.js';
export {
  allowedTokens,
  answerTokens,
  constrainedTitles,
  onlyAllowed,
  titleTrie,
  type AnswerTokens,
  type TokenChoice,
} from './prompt/title-choices.js';
export { encodedFeatures, eventFeeds, eventInputs, eventNames, type EventInputs } from './events/event-batch.js';
export { composeInputs } from './compose/compose-inputs.js';
export { idsOf, historyFeeds, type EventIds, type ReadEvents } from './events/history.js';
export { modelGraph } from './inference/graphs.js';
export { ProgramPool, runOnHost } from './inference/program-pool.js';
export { encoderHashOf } from './model/encoder-hash.js';
export type { Recommendation } from './model/catalogue.js';
export type { ModelParts, TrainedOn } from './model/model-parts.js';
export { checkedWeights, initialWeights, type Weights } from './model/weights.js';
export { loadModel, readManifest } from './directory/load-model.js';
export { modelFiles, modelManifest, modelVersion, type ModelManifest } from './directory/manifest.js';
export { saveModel } from './directory/save-model.js';
export { loadPlugins } from './plugins/load-plugins.js';
export type { ContextValues, User } from './user/user-encoding.js';
export { UserLlm } from './user-llm.js';
export type {
  AskedUser,
  CreateOptions,
  GenerateOptions,
  Question,
  RankTitlesOptions,
  RecommendOptions,
  UserLlmOptions,
} from './user-llm-options.js';
export { exportModel, onnxManifestFile } from './export/export-model.js';
export { onnxManifest, type OnnxManifest } from './export/export-manifest.js';
