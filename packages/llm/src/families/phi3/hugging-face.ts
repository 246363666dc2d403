import type { CheckpointFormat, StoredTensor } from '@user-llm/plugin';
import { z } from 'zod';
import { decoderFields, headsOf, parseFamilyConfig } from '../config-fields.js';
import { llamaLikeFields, llamaLikeFrom, llamaLikeTo, parseHuggingFace } from '../hugging-face-fields.js';
import { ropeFrom, ropeTo } from '../hugging-face-rope.js';
import { ofEveryLayer } from '../state-dict.js';
import { phi3Config, type Phi3Config } from './config.js';

const huggingFacePhi3 = z.looseObject({
  ...llamaLikeFields,
  max_position_embeddings: decoderFields.maximumTokens.default(4096),
  original_max_position_embeddings: decoderFields.maximumTokens.default(4096),
  rms_norm_eps: z.number().positive().default(1e-5),
  sliding_window: z.number().int().positive().nullish(),
  hidden_act: z.literal('silu').default('silu'),
});

function fromHuggingFace(config: unknown): Phi3Config {
  const data = parseHuggingFace('Phi-3', huggingFacePhi3, config);
  return parseFamilyConfig('Phi-3', phi3Config, {
    ...llamaLikeFrom(data),
    ...ropeFrom(data, { family: 'Phi-3' }),
    ...(data.sliding_window && { window: data.sliding_window }),
  });
}

function toHuggingFace(config: Phi3Config): Readonly<Record<string, unknown>> {
  const { rope_parameters, ...rope } = ropeTo(config);
  return {
    architectures: ['Phi3ForCausalLM'],
    model_type: 'phi3',
    ...llamaLikeTo({ ...config, ...headsOf(config) }),
    ...rope,
    rope_parameters: { ...(rope_parameters as object), partial_rotary_factor: config.rotaryShare },
    partial_rotary_factor: config.rotaryShare,
    sliding_window: config.window ?? null,
    // Else transformers fills in a token that smaller vocabularies lack.
    pad_token_id: null,
    hidden_act: 'silu',
  };
}

/** Phi-3 keeps queries, keys and values in one matrix, and gates and values of the feed-forward network in another. */
function stateDict({ layers }: Phi3Config): readonly StoredTensor[] {
  return ofEveryLayer(layers, { ours: 'model.layers', theirs: 'model.layers' }, [
    {
      name: 'self_attn.qkv_proj.weight',
      holds: ['self_attn.q_proj.weight', 'self_attn.k_proj.weight', 'self_attn.v_proj.weight'],
    },
    { name: 'mlp.gate_up_proj.weight', holds: ['mlp.gate_proj.weight', 'mlp.up_proj.weight'] },
  ]);
}

/** Checkpoints of Phi-3, Phi-3.5 and Phi-4-mini. */
export const phi3Checkpoints: CheckpointFormat<Phi3Config> = {
  architectures: ['Phi3ForCausalLM'],
  modelType: 'phi3',
  fromHuggingFace,
  toHuggingFace,
  stateDict,
};
