import { decoderFamily, llamaLike, mistral, mistralConfig, ofEveryLayer } from '@user-llm/llm';
import { definePlugin } from '@user-llm/plugin';

const { fromHuggingFace, toHuggingFace } = mistral.checkpoints;

/** Computes what a Mistral does, and keeps its tensors under names of its own, some of them joined. */
const magpie = decoderFamily('magpie', mistralConfig, (config) => llamaLike('magpie', config), {
  architectures: ['MagpieForCausalLM'],
  modelType: 'magpie',
  fromHuggingFace,
  toHuggingFace: (config) => ({
    ...toHuggingFace(config),
    architectures: ['MagpieForCausalLM'],
    model_type: 'magpie',
  }),
  stateDict: ({ layers }) => [
    { name: 'nest.embedding.weight', holds: ['model.embed_tokens.weight'] },
    ...ofEveryLayer(layers, { ours: 'model.layers', theirs: 'nest.layers' }, [
      {
        name: 'attention.joined.weight',
        holds: ['self_attn.q_proj.weight', 'self_attn.k_proj.weight', 'self_attn.v_proj.weight'],
      },
      { name: 'mlp.joined.weight', holds: ['mlp.gate_proj.weight', 'mlp.up_proj.weight'] },
    ]),
  ],
});

export default definePlugin({ name: 'a-lab', specVersion: 1, llms: [magpie] });
