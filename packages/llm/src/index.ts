export { llamaConfig, type LlamaConfig } from './families/llama/config.js';
export { llama } from './families/llama/llama.js';
export type { LlamaLayerParameters, LlamaParameters } from './families/llama/parameters.js';
