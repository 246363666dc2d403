import { UserLlmError } from '@user-llm/tensor';
import { mostOfHeads } from '../families/config-fields.js';
import type { GgufFile } from './gguf-file.js';
import { GgufMetadata } from './gguf-metadata.js';
import { ropeScaling } from './gguf-rope.js';

/** Hugging Face's config of a model, as its config.json would say it. */
export type HuggingFaceConfig = Readonly<Record<string, unknown>>;

/** How the files of an architecture differ from Hugging Face's checkpoints of it. */
export interface GgufArchitecture {
  /** Its config from the metadata: fields that all have, and those of the architecture. */
  config(metadata: GgufMetadata, common: HuggingFaceConfig): HuggingFaceConfig;
  /** Whether rows of queries and keys are in the order in which neighbours are turned together. */
  readonly interleaved?: true;
  /** Whether gains of norms have had 1 added to them. */
  readonly gainsRaised?: true;
  /** Whether layers have norms before and after each of their parts. */
  readonly normsAround?: true;
  /** Keys of its rotary positions besides those that all have. */
  readonly ropeKeys?: readonly string[];
}

const decoder =
  (architecture: string, model_type: string): GgufArchitecture['config'] =>
  (_, common) => ({ architectures: [architecture], model_type, ...common });

/** The architectures that are read, by their names in the files. */
export const ggufArchitectures: Readonly<Record<string, GgufArchitecture>> = {
  llama: {
    interleaved: true,
    config: decoder('LlamaForCausalLM', 'llama'),
  },
  qwen2: { config: decoder('Qwen2ForCausalLM', 'qwen2') },
  qwen3: { config: decoder('Qwen3ForCausalLM', 'qwen3') },
  phi3: {
    config: (metadata, common) => ({
      ...decoder('Phi3ForCausalLM', 'phi3')(metadata, common),
      sliding_window: metadata.number('phi3.attention.sliding_window') ?? null,
      // Files have no embedding of this token; it means nothing to the numbers.
      pad_token_id: null,
    }),
  },
  gemma2: {
    gainsRaised: true,
    normsAround: true,
    config: (metadata, common) => ({
      ...decoder('Gemma2ForCausalLM', 'gemma2')(metadata, common),
      hidden_activation: 'gelu_pytorch_tanh',
      attn_logit_softcapping: metadata.number('gemma2.attn_logit_softcapping') ?? 50,
      final_logit_softcapping: metadata.number('gemma2.final_logit_softcapping') ?? 30,
      sliding_window: metadata.number('gemma2.attention.sliding_window') ?? 4096,
      query_pre_attn_scalar: gemmaScale(common, 46),
    }),
  },
  gemma3: {
    gainsRaised: true,
    normsAround: true,
    ropeKeys: ['freq_base_swa'],
    config: (metadata, common) => {
      const { rope_theta, rope_scaling, ...rest } = common;
      const scaled = rope_scaling as { rope_type: string; factor: number } | undefined;
      return {
        ...decoder('Gemma3ForCausalLM', 'gemma3_text')(metadata, rest),
        hidden_activation: 'gelu_pytorch_tanh',
        sliding_window: metadata.number('gemma3.attention.sliding_window') ?? 512,
        query_pre_attn_scalar: gemmaScale(common, 62),
        rope_parameters: {
          full_attention: { rope_theta, ...(scaled ?? { rope_type: 'default' }) },
          sliding_attention: {
            rope_theta: metadata.number('gemma3.rope.freq_base_swa') ?? 10_000,
            rope_type: 'default',
          },
        },
      };
    },
  },
  gpt2: {
    config: (_, common) => ({
      architectures: ['GPT2LMHeadModel'],
      model_type: 'gpt2',
      vocab_size: common['vocab_size'],
      n_embd: common['hidden_size'],
      n_layer: common['num_hidden_layers'],
      n_head: common['num_attention_heads'],
      n_positions: common['max_position_embeddings'],
      n_inner: common['intermediate_size'],
      layer_norm_epsilon: common['layer_norm_epsilon'],
      activation_function: 'gelu_new',
      tie_word_embeddings: common['tie_word_embeddings'],
    }),
  },
};

/** What scores are divided by the root of: the head size, but in the largest model the width over the heads. */
function gemmaScale(common: HuggingFaceConfig, layersOfLargest: number): unknown {
  if (common['num_hidden_layers'] !== layersOfLargest) return common['head_dim'];
  return Number(common['hidden_size']) / Number(common['num_attention_heads']);
}

/**
 * The architecture of a file and its config as config.json would say it.
 *
 * @throws UserLlmError `unknown-architecture`, which lists those known; `bad-checkpoint` for metadata that is missing or
 *   wrong; `bad-config` for rotary positions that are not read.
 */
export async function architectureOf(
  file: GgufFile,
): Promise<{ readonly architecture: GgufArchitecture; readonly config: HuggingFaceConfig }> {
  const metadata = new GgufMetadata(file.path, file.metadata);
  const name = metadata.text('general.architecture') ?? '';
  const architecture = Object.hasOwn(ggufArchitectures, name) ? ggufArchitectures[name] : undefined;
  if (!architecture)
    throw new UserLlmError('unknown-architecture', {
      what: file.path,
      expected: `an architecture among ${Object.keys(ggufArchitectures).join(', ')}`,
      got: name || 'none',
      mend: 'Take the Hugging Face folder of the model if its family is known, or add the family: docs/guides/add-a-model-family.md.',
    });
  const config = architecture.config(metadata, await commonConfig(file, metadata, name, architecture));
  return { architecture, config };
}

async function commonConfig(
  file: GgufFile,
  metadata: GgufMetadata,
  name: string,
  { ropeKeys }: GgufArchitecture,
): Promise<HuggingFaceConfig> {
  const number = (key: string): number | undefined => metadata.number(`${name}.${key}`);
  const required = (key: string): number => metadata.requiredNumber(`${name}.${key}`);
  const size = (key: string): number | undefined => metadata.size(`${name}.${key}`, mostOfHeads);
  const [width, heads] = [required('embedding_length'), required('attention.head_count')];
  const vocabulary = file.entries.get('token_embd.weight')?.shape[0];
  if (vocabulary === undefined) throw metadata.bad('token_embd.weight', 'a tensor', 'none');
  const headSize = size('attention.key_length') ?? width / heads;
  const turned = size('rope.dimension_count') ?? headSize;
  const scaling = await ropeScaling(file, metadata, name, turned / 2, ropeKeys);
  return {
    vocab_size: vocabulary,
    hidden_size: width,
    num_hidden_layers: required('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: number('attention.head_count_kv') ?? heads,
    head_dim: headSize,
    intermediate_size: required('feed_forward_length'),
    max_position_embeddings: required('context_length'),
    rms_norm_eps: number('attention.layer_norm_rms_epsilon') ?? 1e-6,
    layer_norm_epsilon: number('attention.layer_norm_epsilon') ?? 1e-5,
    rope_theta: number('rope.freq_base') ?? 10_000,
    ...(turned !== headSize && { partial_rotary_factor: turned / headSize }),
    ...(scaling && { rope_scaling: scaling }),
    tie_word_embeddings: !file.entries.has('output.weight'),
    attention_bias: file.entries.has('blk.0.attn_q.bias'),
  };
}
