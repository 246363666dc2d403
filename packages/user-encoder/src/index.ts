export { bert4rec, type Bert4recConfig, type Bert4recOptions } from './bert4rec.js';
export { dualEncoder, type DualConfig, type DualOptions } from './dual.js';
export { autoregressiveEncoder, type AutoregressiveConfig, type AutoregressiveOptions } from './autoregressive.js';
