export { builtInParts, userLlmRegistry } from './built-in-parts.js';
export { partConfig, type PartChoice } from './config/part-choice.js';
export {
  defineUserLlm,
  parseUserLlmConfig,
  userLlmConfig,
  userLlmJsonSchema,
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
export { decodeAnswer, encodeAnswer, encodePrompt } from './prompt/prompt-format.js';
export { encodedFeatures, eventFeeds, eventInputs, eventNames, type EventInputs } from './events/event-batch.js';
