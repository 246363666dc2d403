import type { z } from 'zod';
import { familyConfig } from '../config-fields.js';
import { gemmaFields } from '../gemma-like.js';

/** The config of a Gemma 2: meaning and unit of every field, and what is filled in. */
export const gemma2Config = familyConfig(gemmaFields);

/** A validated config of a Gemma 2. */
export type Gemma2Config = z.output<typeof gemma2Config>;
