import type { EventSchema } from '@user-llm/plugin';
import type { UserLlmConfigInput } from './user-llm-config.js';

/** What a preset needs to be told. */
export interface PresetInputs {
  /** What is read of each event. */
  readonly events: EventSchema;
  /** Name of the feature that is predicted and ranked; `item` unless told. */
  readonly item?: string;
  /** Tokens of the text tokenizer. */
  readonly vocabularySize: number;
}

/** For tests and first tries: trains in a minute, knows little. */
function tiny({ events, item = 'item', vocabularySize }: PresetInputs): UserLlmConfigInput {
  return {
    events,
    item,
    encoder: { name: 'autoregressive', config: { width: 32, layers: 1, heads: 2, maximumEvents: 50 } },
    compressor: { name: 'perceiver', config: { latents: 4, layers: 1, heads: 2 } },
    fusion: { name: 'cross-attention', config: { heads: 2 } },
    llm: {
      name: 'llama',
      config: { vocabularySize, width: 64, layers: 2, heads: 2, feedForward: 128, maximumTokens: 256 },
    },
  };
}

/** A decoder that trains from scratch on a catalogue within minutes on two cores, and an encoder worth its name. */
function small({ events, item = 'item', vocabularySize }: PresetInputs): UserLlmConfigInput {
  return {
    events,
    item,
    encoder: { name: 'autoregressive', config: { width: 64, layers: 2, heads: 2, maximumEvents: 200, dropout: 0.2 } },
    compressor: { name: 'perceiver', config: { latents: 16, layers: 2, heads: 4 } },
    fusion: { name: 'cross-attention', config: { heads: 4 } },
    llm: {
      name: 'llama',
      config: { vocabularySize, width: 128, layers: 4, heads: 4, feedForward: 344, maximumTokens: 1024 },
    },
  };
}

/**
 * The sizes of User-LLM (arXiv 2402.13598) where they are known, our choice where they are not: an encoder of 6 layers,
 * width 128, 8 heads; 16 latents; cross-attention in every layer. Its LLM is not public: put a checkpoint's config in the
 * place of `llm`.
 */
function paper({ events, item = 'item', vocabularySize }: PresetInputs): UserLlmConfigInput {
  return {
    events,
    item,
    encoder: { name: 'autoregressive', config: { width: 128, layers: 6, heads: 8, maximumEvents: 50 } },
    compressor: { name: 'perceiver', config: { latents: 16, layers: 2, heads: 8 } },
    fusion: { name: 'cross-attention', config: { every: 1, heads: 8 } },
    llm: {
      name: 'llama',
      config: { vocabularySize, width: 576, layers: 30, heads: 9, keyValueHeads: 3, feedForward: 1536 },
    },
  };
}

/** Configs to start from: functions, so that what they say can be read and changed. */
export const presets = { tiny, small, paper } as const;
