import { decoderFamily, llamaLike } from '../decoder-family.js';
import { qwen3Config } from './config.js';
import { qwen3Checkpoints } from './hugging-face.js';

/** Qwen3 (Yang et al. 2025), the dense models: a Llama whose heads of queries and keys have RMS norms. */
export const qwen3 = decoderFamily(
  'qwen3',
  qwen3Config,
  (config) => ({
    ...llamaLike('qwen3', config),
    headNorm: { kind: 'rms', epsilon: config.normEpsilon },
    biases: config.attentionBias ? ['q_proj', 'k_proj', 'v_proj', 'o_proj'] : [],
  }),
  qwen3Checkpoints,
);
