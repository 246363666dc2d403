export { llamaConfig, type LlamaConfig } from './families/llama/config.js';
export { llama } from './families/llama/llama.js';
export type { LlamaLayerParameters, LlamaParameters } from './families/llama/parameters.js';
export { loadTokenizer, type JsonTokenizer, type TokenizerRoles } from './text/load-tokenizer.js';
export type { PipelineStep, TokenizerJson } from './text/tokenizer-json.js';
export { trainBpe, type BpeOptions, type SpecialTokens } from './text/train-bpe.js';
export { createDecoder, type DecoderOptions } from './decoding/create-decoder.js';
export type { DecoderContext } from './decoding/decode-graphs.js';
export type {
  Branches,
  BranchTokens,
  ContextValues,
  DecodeStepper,
  PrefillOptions,
  Slots,
  StepOptions,
} from './decoding/decode-stepper.js';
