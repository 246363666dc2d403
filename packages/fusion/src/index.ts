export { bothFusions, bothFusionsConfig, type BothFusionsConfig } from './both-fusions.js';
export { crossAttention, type CrossAttentionFusionParameters } from './cross-attention.js';
export { crossAttentionConfig, readingLayers, type CrossAttentionConfig } from './cross-attention-config.js';
export { joinHooks } from './join-hooks.js';
export { lora, type LoraModule, type LoraOptions, type LoraPairParameters } from './lora.js';
export { loraConfig, type LoraConfig } from './lora-config.js';
export { loraTargets } from './lora-targets.js';
export { mergeLora } from './merge-lora.js';
export {
  projectionConfig,
  projector,
  type ProjectionConfig,
  type Projector,
  type ProjectorParameters,
} from './projector.js';
export { softPrompt, softPromptConfig, type SoftPromptConfig, type SoftPromptParameters } from './soft-prompt.js';
