export { llamaConfig, type LlamaConfig } from './families/llama/config.js';
export { llama } from './families/llama/llama.js';
export type { LlamaLayerParameters, LlamaParameters } from './families/llama/parameters.js';
export { loadTokenizer, type JsonTokenizer, type TokenizerRoles } from './text/load-tokenizer.js';
export type { PipelineStep, TokenizerJson } from './text/tokenizer-json.js';
export { trainBpe, type BpeOptions, type SpecialTokens } from './text/train-bpe.js';
export { createDecoder, type DecoderOptions } from './decoding/create-decoder.js';
export {
  cacheNames,
  contextWeights,
  llmWeights,
  prefillGraph,
  prefixTokens,
  stepGraph,
  type DecoderContext,
} from './decoding/decode-graphs.js';
export type {
  Branches,
  BranchTokens,
  ContextValues,
  DecodeStepper,
  PrefillOptions,
  Slots,
  StepOptions,
} from './decoding/decode-stepper.js';
export {
  generate,
  generateTexts,
  type FinishReason,
  type GeneratedPiece,
  type GenerationInputs,
} from './generation/generate.js';
export { chooseToken, type TokenChoice } from './generation/choose-token.js';
export { generationOptions, parseGenerationOptions, type GenerationOptions } from './generation/generation-options.js';
export { StopWatch, TextStream } from './generation/text-stream.js';
export { rankTitles, type RankedTitle, type RankingOptions } from './ranking/rank-titles.js';
export type { RankingInputs } from './ranking/ranking-options.js';
export { scoreChoices, scoreTitles } from './ranking/score-titles.js';
export { TitleTrie, type TokenizedTitle, type TrieEdge } from './ranking/title-trie.js';
export { loadLanguageModel } from './checkpoints/load-language-model.js';
export type { LoadedLanguageModel } from './checkpoints/hugging-face.js';
export { saveLanguageModel, type SavedLanguageModel } from './checkpoints/save-language-model.js';
export {
  readLlama2cVocabulary,
  readSentencePiece,
  type Piece,
  type PieceKind,
  type SentencePieces,
} from './text/sentence-piece-files.js';
export { sentencePieceJson } from './text/sentence-piece-json.js';
