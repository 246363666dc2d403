export {
  benchmarkEncoder,
  encoder,
  ignored,
  nextItemLoss,
  type EncoderConfig,
  type EncoderParameters,
} from './encoder.js';
export { gpt2, type Gpt2Config, type Gpt2Parameters } from './gpt2.js';
export { llama, type LlamaConfig, type LlamaParameters } from './llama.js';
