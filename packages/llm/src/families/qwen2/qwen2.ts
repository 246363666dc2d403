import { decoderFamily, llamaLike } from '../decoder-family.js';
import { qwen2Config } from './config.js';
import { qwen2Checkpoints } from './hugging-face.js';

/** Qwen2 and Qwen2.5 (Yang et al. 2024): a Llama whose queries, keys and values have biases; upper layers may read a window. */
export const qwen2 = decoderFamily(
  'qwen2',
  qwen2Config,
  (config) => ({
    ...llamaLike('qwen2', config),
    biases: ['q_proj', 'k_proj', 'v_proj'],
  }),
  qwen2Checkpoints,
);
