export { autoregressiveEncoder, type AutoregressiveConfig, type AutoregressiveOptions } from './autoregressive.js';
