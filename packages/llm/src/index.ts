export type { DecoderModule } from './architecture/decoder.js';
export { buildDecoder } from './architecture/decoder.js';
export type {
  ActivationKind,
  DecoderDescription,
  LayerDescription,
  LayerMap,
  NormDescription,
} from './architecture/description.js';
export type { DecoderLayerParameters, DecoderParameters, NormParameters } from './architecture/parameters.js';
export { rotaryScaling, rotaryTurn, type RotaryPositions, type RotaryScaling } from './architecture/rotary-scaling.js';
export { decoderFamily, llamaLike, type DecoderFamily, type LlamaLikeConfig } from './families/decoder-family.js';
export {
  decoderFields,
  familyConfig,
  headFields,
  headsOf,
  parseFamilyConfig,
  rotaryFields,
  windowFields,
} from './families/config-fields.js';
export {
  badHuggingFace,
  llamaLikeFields,
  llamaLikeFrom,
  llamaLikeTo,
  parseHuggingFace,
  slidingFields,
  windowFrom,
  windowTo,
  type LayerKind,
  type LlamaLikeFields,
} from './families/hugging-face-fields.js';
export { ropeFrom, ropeTo, type Rope, type RopeQuery } from './families/hugging-face-rope.js';
export { languageModels } from './families/known-families.js';
export { ofEveryLayer } from './families/state-dict.js';
export { gemma2Config, type Gemma2Config } from './families/gemma2/config.js';
export { gemma2 } from './families/gemma2/gemma2.js';
export { gemma3Config, type Gemma3Config } from './families/gemma3/config.js';
export { gemma3 } from './families/gemma3/gemma3.js';
export { gpt2Config, type Gpt2Config } from './families/gpt2/config.js';
export { gpt2 } from './families/gpt2/gpt2.js';
export { llamaConfig, type LlamaConfig } from './families/llama/config.js';
export { llama } from './families/llama/llama.js';
export { mistralConfig, type MistralConfig } from './families/mistral/config.js';
export { mistral } from './families/mistral/mistral.js';
export { phi3Config, type Phi3Config } from './families/phi3/config.js';
export { phi3 } from './families/phi3/phi3.js';
export { qwen2Config, type Qwen2Config } from './families/qwen2/config.js';
export { qwen2 } from './families/qwen2/qwen2.js';
export { qwen3Config, type Qwen3Config } from './families/qwen3/config.js';
export { qwen3 } from './families/qwen3/qwen3.js';
export { loadTokenizer, type JsonTokenizer, type TokenizerRoles } from './text/load-tokenizer.js';
export type { AddedToken, PipelineStep, TokenizerJson } from './text/tokenizer-json.js';
export { ChatTemplate, type ChatMessage, type ChatOptions } from './chat/chat-template.js';
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
  LogitsOptions,
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
export { beamOptions, generateBeams, type BeamAnswer, type BeamOptions } from './generation/beam-search.js';
export { chooseToken, type TokenChoice } from './generation/choose-token.js';
export { processLogits, type LogitsProcessing } from './generation/process-logits.js';
export { generationOptions, parseGenerationOptions, type GenerationOptions } from './generation/generation-options.js';
export { StopWatch, TextStream } from './generation/text-stream.js';
export { rankTitles, type RankedTitle, type RankingOptions } from './ranking/rank-titles.js';
export type { RankingInputs } from './ranking/ranking-options.js';
export { scoreChoices, scoreTitles } from './ranking/score-titles.js';
export { TitleTrie, type TokenizedTitle, type TrieEdge } from './ranking/title-trie.js';
export { loadLanguageModel, type LoadOptions } from './checkpoints/load-language-model.js';
export type { FamilyOptions, ReadOptions } from './checkpoints/hugging-face.js';
export type { LoadedLanguageModel } from './checkpoints/loaded-language-model.js';
export { modelAgreement, type Agreement, type AgreementOptions } from './quantization/agreement.js';
export { quantizeLanguageModel, quantizeWeights } from './quantization/quantize-language-model.js';
export { quantizeMatrix } from './quantization/quantize-matrix.js';
export { QuantizedMatrix, type Weight } from './quantization/quantized-matrix.js';
export { sampleText } from './quantization/sample-text.js';
export type { Accuracy } from './decoding/bound-weights.js';
export { saveLanguageModel, type SavedLanguageModel } from './checkpoints/save-language-model.js';
export {
  readLlama2cVocabulary,
  readSentencePiece,
  type Piece,
  type PieceKind,
  type SentencePieces,
} from './text/sentence-piece-files.js';
export { sentencePieceJson } from './text/sentence-piece-json.js';
