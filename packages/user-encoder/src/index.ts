export {
  autoregressiveConfig,
  autoregressiveEncoder,
  type AutoregressiveConfig,
  type AutoregressiveOptions,
} from './autoregressive.js';
export { bert4rec, bert4recConfig, type Bert4recConfig, type Bert4recOptions } from './bert4rec.js';
export { dualConfig, dualEncoder, type DualConfig, type DualOptions } from './dual.js';
