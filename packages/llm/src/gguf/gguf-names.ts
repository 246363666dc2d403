import type { ParameterSpec } from '@user-llm/graph';
import type { StoredTensor } from '@user-llm/plugin';
import type { GgufArchitecture } from './gguf-architectures.js';

/** Paths of parameters, and the name of the tensor that holds them one after the other. */
type Named = readonly [stored: string, ...paths: string[]];

const outside: readonly Named[] = [
  ['token_embd', 'model.embed_tokens'],
  ['position_embd', 'model.embed_positions'],
  ['output_norm', 'model.norm'],
  ['output', 'lm_head'],
];

const inLayer: readonly Named[] = [
  ['attn_norm', 'input_layernorm'],
  ['attn_output', 'self_attn.o_proj'],
  ['attn_q_norm', 'self_attn.q_norm'],
  ['attn_k_norm', 'self_attn.k_norm'],
  ['ffn_down', 'mlp.down_proj'],
];

const queriesApart: readonly Named[] = [
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
];
const queriesJoined: readonly Named[] = [['attn_qkv', 'self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']];

const gateApart: readonly Named[] = [
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
];
const gateJoined: readonly Named[] = [['ffn_up', 'mlp.gate_proj', 'mlp.up_proj']];

const normsBefore: readonly Named[] = [['ffn_norm', 'post_attention_layernorm']];
const normsAround: readonly Named[] = [
  ['post_attention_norm', 'post_attention_layernorm'],
  ['ffn_norm', 'pre_feedforward_layernorm'],
  ['post_ffw_norm', 'post_feedforward_layernorm'],
];

/**
 * The tensors that a GGUF file has for a model's parameters.
 *
 * @param has Whether the file has a tensor, which tells what is joined in it.
 */
export function ggufTensors(
  parameters: ReadonlyMap<string, ParameterSpec>,
  layers: number,
  architecture: GgufArchitecture,
  has: (name: string) => boolean,
): StoredTensor[] {
  const stored = (names: readonly Named[], theirs: string, ours: string): StoredTensor[] =>
    names.flatMap(([name, ...paths]) =>
      ['weight', 'bias'].flatMap((kind) => {
        const holds = paths.map((path) => `${ours}${path}.${kind}`).filter((parameter) => parameters.has(parameter));
        return holds.length > 0 ? [{ name: `${theirs}${name}.${kind}`, holds }] : [];
      }),
    );
  const ofLayer = Array.from({ length: layers }, (_, layer) => {
    const theirs = `blk.${layer}.`;
    const names = [
      ...inLayer,
      ...(has(`${theirs}attn_qkv.weight`) ? queriesJoined : queriesApart),
      ...(has(`${theirs}ffn_gate.weight`) ? gateApart : gateJoined),
      ...(architecture.normsAround ? normsAround : normsBefore),
    ];
    return stored(names, theirs, `model.layers.${layer}.`);
  });
  return [...stored(outside, '', ''), ...ofLayer.flat()];
}
