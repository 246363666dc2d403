import { activations, normalInitialization, xavierInitialization, type Initialization } from '@user-llm/layers';
import { z } from 'zod';

/** The fields that all encoders with a Transformer over events share. */
export const towerFields = {
  width: z.int().min(1).default(128).describe('Width of an event’s embedding.'),
  layers: z.int().min(1).default(6).describe('Number of Transformer layers.'),
  heads: z.int().min(1).default(8).describe('Attention heads of each layer; they divide the width.'),
  feedForward: z
    .int()
    .min(1)
    .optional()
    .describe('Width between the two maps of a feed-forward network; 4 times the width when absent.'),
  activation: z.enum(activations).default('gelu').describe('What stands between the maps of a feed-forward network.'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0.1)
    .describe('Share of the embeddings, and of what each layer adds, that is dropped in training.'),
  positions: z
    .enum(['learned', 'rotary', 'none'])
    .default('learned')
    .describe('How the model knows the order of events: an embedding per position, turned queries and keys, or not.'),
  rotaryBase: z.number().gt(1).default(10_000).describe('Base of the rotary frequencies.'),
  maximumEvents: z
    .int()
    .min(1)
    .default(50)
    .describe('Events of the longest history that is read; of a longer one the last.'),
  itemWidth: z.int().min(1).optional().describe('Width of an item’s embedding; the encoder’s width when absent.'),
  featureWidth: z.int().min(1).default(16).describe('Width of the embeddings of all other features.'),
  featureWidths: z
    .record(z.string(), z.int().min(1))
    .default({})
    .describe('Widths of the embeddings of single features, by their names.'),
  scaleEmbeddings: z
    .boolean()
    .default(true)
    .describe('Whether embeddings of events are multiplied by the square root of the width, as SASRec does.'),
  initialization: z
    .enum(['normal', 'xavier'])
    .default('normal')
    .describe('How matrices start: normally distributed, or uniform by their sizes; embeddings are always normal.'),
  deviation: z.number().gt(0).default(0.02).describe('Standard deviation of values that start normally distributed.'),
  epsilon: z.number().gt(0).default(1e-5).describe('Added to variances in layer norms.'),
  vectorProjection: z
    .enum(['trainable', 'frozen'])
    .default('trainable')
    .describe('Whether the map from vectors given beforehand (texts of items) to embeddings learns.'),
};

/** The fields that all encoders with a Transformer over events share, defaults filled in. */
export type TowerConfig = z.output<z.ZodObject<typeof towerFields>>;

/** How matrices start. */
export function initializationOf({ initialization, deviation }: TowerConfig): Initialization {
  return initialization === 'normal' ? normalInitialization(deviation) : xavierInitialization();
}
