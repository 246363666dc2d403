import { decoderFamily } from '../decoder-family.js';
import { gemmaLike } from '../gemma-like.js';
import { gemma2Config } from './config.js';
import { gemma2Checkpoints } from './hugging-face.js';

/** Gemma 2 (Gemma Team 2024): every second layer reads a window; soft caps on scores and logits. */
export const gemma2 = decoderFamily('gemma2', gemma2Config, (config) => gemmaLike('gemma2', config), gemma2Checkpoints);
