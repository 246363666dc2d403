import { decoderFamily, llamaLike } from '../decoder-family.js';
import { phi3Config } from './config.js';
import { phi3Checkpoints } from './hugging-face.js';

/**
 * Phi-3, Phi-3.5 and Phi-4-mini (Abdin et al. 2024): a Llama that may turn a part of each head, by frequencies with a
 * factor each.
 */
export const phi3 = decoderFamily('phi3', phi3Config, (config) => llamaLike('phi3', config), phi3Checkpoints);
