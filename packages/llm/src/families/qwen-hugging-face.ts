import { z } from 'zod';
import { decoderFields, headsOf } from './config-fields.js';
import {
  llamaLikeFields,
  llamaLikeFrom,
  llamaLikeTo,
  slidingFields,
  windowFrom,
  windowTo,
} from './hugging-face-fields.js';
import { ropeFrom, ropeTo } from './hugging-face-rope.js';
import type { Qwen2Config } from './qwen2/config.js';

/** What the `config.json` of Qwen2 and Qwen3 have in common. */
export const qwenFields = {
  ...llamaLikeFields,
  ...slidingFields,
  num_key_value_heads: decoderFields.heads.nullable().default(32),
  max_position_embeddings: decoderFields.maximumTokens.default(32_768),
  use_sliding_window: z.boolean().default(false),
  sliding_window: slidingFields.sliding_window.default(4096),
  max_window_layers: z.number().int().nonnegative().default(28),
  hidden_act: z.literal('silu').default('silu'),
} as const;

/** Our common fields of Qwen2 and Qwen3 from Hugging Face's; layers from `max_window_layers` on read a window, if any do. */
export function qwenFrom(
  family: string,
  data: z.output<z.ZodObject<typeof qwenFields>>,
): Readonly<Record<string, unknown>> {
  return {
    ...llamaLikeFrom(data),
    ...ropeFrom(data, { family }),
    ...(data.use_sliding_window && windowFrom(family, data, (layer) => layer >= data.max_window_layers)),
  };
}

/** Hugging Face's common fields of Qwen2 and Qwen3 from ours. */
export function qwenTo(config: Qwen2Config): Readonly<Record<string, unknown>> {
  const { layers, window, localLayers } = config;
  return {
    ...llamaLikeTo({ ...config, ...headsOf(config) }),
    ...ropeTo(config),
    ...windowTo(config),
    use_sliding_window: window !== undefined,
    max_window_layers: window === undefined ? layers : Math.min(layers, ...(localLayers ?? [0])),
    hidden_act: 'silu',
  };
}
