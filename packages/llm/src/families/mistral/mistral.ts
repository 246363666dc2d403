import { decoderFamily, llamaLike } from '../decoder-family.js';
import { mistralConfig } from './config.js';
import { mistralCheckpoints } from './hugging-face.js';

/** Mistral (Jiang et al. 2023): a Llama without biases, whose layers may read a window of the last tokens alone. */
export const mistral = decoderFamily(
  'mistral',
  mistralConfig,
  (config) => llamaLike('mistral', config),
  mistralCheckpoints,
);
