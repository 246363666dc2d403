import type { Feature } from '@user-llm/plugin';
import { bucketFeature } from './bucket.js';
import { idFeature } from './id.js';
import { labelsFeature, textFeature } from './multi-id.js';
import { ordinalFeature } from './ordinal.js';

/** The kinds of feature that come with the package: `id`, `multi-id`, `ordinal`, `bucket`, `text`. */
export const featureKinds: readonly Feature[] = [idFeature, labelsFeature, ordinalFeature, bucketFeature, textFeature];
