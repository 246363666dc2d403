import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { attentionSizes, parseLlamaConfig, type LlamaConfig } from './config.js';

const count = z.number().int().positive();
const rope = z.looseObject({ rope_theta: z.number().positive().optional(), rope_type: z.string().optional() });

/** What we read of a `config.json` of transformers 4 or 5; fields that do not change the numbers are passed over. */
const huggingFaceLlama = z.looseObject({
  vocab_size: count,
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  intermediate_size: count,
  max_position_embeddings: count.default(2048),
  rope_theta: z.number().positive().optional(),
  rope_parameters: rope.nullish(),
  rope_scaling: rope.nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.literal(false).default(false),
  hidden_act: z.literal('silu').default('silu'),
  initializer_range: z.number().positive().default(0.02),
});

/**
 * The config of a Llama as Hugging Face's `config.json` says it.
 *
 * @throws UserLlmError `bad-config` for fields that are missing or wrong, and for what this family does not have:
 *   scaled rotary positions, other activations, biases in the feed-forward network.
 */
export function llamaFromHuggingFace(config: unknown): LlamaConfig {
  const parsed = huggingFaceLlama.safeParse(config);
  const refuse = (got: string, cause?: unknown): UserLlmError =>
    new UserLlmError('bad-config', {
      what: 'config.json',
      expected: "a Llama's",
      got,
      mend: 'Give the config.json of a Llama without rope scaling, as transformers 4 or 5 writes it.',
      cause,
    });
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw refuse(problems.join('; '), parsed.error);
  }
  const { data } = parsed;
  const kinds = [data.rope_parameters, data.rope_scaling].map((own) => own?.rope_type ?? own?.['type'] ?? 'default');
  const scaled = kinds.find((kind) => kind !== 'default');
  if (scaled !== undefined) throw refuse(`rotary positions of type ${JSON.stringify(scaled)}`);
  return parseLlamaConfig({
    vocabularySize: data.vocab_size,
    width: data.hidden_size,
    layers: data.num_hidden_layers,
    heads: data.num_attention_heads,
    ...(data.num_key_value_heads && { keyValueHeads: data.num_key_value_heads }),
    ...(data.head_dim && { headSize: data.head_dim }),
    feedForward: data.intermediate_size,
    maximumTokens: data.max_position_embeddings,
    rotaryBase: data.rope_parameters?.rope_theta ?? data.rope_theta ?? 10_000,
    normEpsilon: data.rms_norm_eps,
    tiedEmbedding: data.tie_word_embeddings,
    attentionBias: data.attention_bias,
    deviation: data.initializer_range,
  });
}

/** The `config.json` that Hugging Face reads as this Llama; interleaved heads must have been put in its order. */
export function llamaToHuggingFace(config: LlamaConfig): Readonly<Record<string, unknown>> {
  const { heads, keyValueHeads, headSize } = attentionSizes(config);
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    dtype: 'float32',
    vocab_size: config.vocabularySize,
    hidden_size: config.width,
    num_hidden_layers: config.layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    head_dim: headSize,
    intermediate_size: config.feedForward,
    max_position_embeddings: config.maximumTokens,
    // Both spellings, for transformers 4 and 5.
    rope_theta: config.rotaryBase,
    rope_parameters: { rope_theta: config.rotaryBase, rope_type: 'default' },
    rms_norm_eps: config.normEpsilon,
    tie_word_embeddings: config.tiedEmbedding,
    attention_bias: config.attentionBias,
    mlp_bias: false,
    hidden_act: 'silu',
    initializer_range: config.deviation,
  };
}
