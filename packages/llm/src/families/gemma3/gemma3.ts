import type { DecoderDescription } from '../../architecture/description.js';
import { rotaryTurn } from '../../architecture/rotary-scaling.js';
import { decoderFamily } from '../decoder-family.js';
import { gemmaLike } from '../gemma-like.js';
import { gemma3Config, type Gemma3Config } from './config.js';
import { gemma3Checkpoints } from './hugging-face.js';

function describeGemma3(config: Gemma3Config): DecoderDescription {
  const description = gemmaLike('gemma3', config);
  const { layers, norm, headSize: size, maximumTokens } = description;
  const rotary = rotaryTurn({ size, base: config.localRotaryBase, maximumTokens });
  const isLocal = (layer: number): boolean =>
    config.window !== undefined && (config.localLayers?.includes(layer) ?? true);
  return {
    ...description,
    layers: layers.map((own, layer) => (isLocal(layer) ? { ...own, rotary } : own)),
    headNorm: norm,
  };
}

/**
 * Gemma 3 (Gemma Team 2025), the text models: most layers read a window and turn by a base of their own; heads of
 * queries and keys have norms.
 */
export const gemma3 = decoderFamily('gemma3', gemma3Config, describeGemma3, gemma3Checkpoints);
