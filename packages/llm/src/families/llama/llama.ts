import type { DecoderDescription } from '../../architecture/description.js';
import { decoderFamily, llamaLike } from '../decoder-family.js';
import { llamaConfig, type LlamaConfig } from './config.js';
import { llamaCheckpoints } from './hugging-face.js';

/** What a config of a Llama means. */
export function describeLlama(config: LlamaConfig): DecoderDescription {
  return {
    ...llamaLike('llama', config),
    biases: [
      ...(config.attentionBias ? (['q_proj', 'k_proj', 'v_proj', 'o_proj'] as const) : []),
      ...(config.feedForwardBias ? (['gate_proj', 'up_proj', 'down_proj'] as const) : []),
    ],
  };
}

/**
 * Llama (Touvron et al. 2023; Llama 3: Grattafiori et al. 2024): grouped-query attention, rotary positions, SwiGLU, RMS
 * norms, no dropout. Parameters are named as in Hugging Face's checkpoints.
 */
export const llama = decoderFamily('llama', llamaConfig, describeLlama, llamaCheckpoints);
