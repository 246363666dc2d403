import type { Plugin } from '@user-llm/plugin';
import { duckdb } from './engines/duckdb/duckdb.js';
import { amazonReviews } from './sources/amazon-reviews.js';
import { googleLocal } from './sources/google-local.js';
import { movielens } from './sources/movielens.js';
import { simulated } from './sources/simulated.js';

/** The sources and engines of this package that take no options, as a plugin like any other. */
export const datasetParts = {
  name: '@user-llm/datasets',
  specVersion: 1,
  datasets: [movielens, amazonReviews, googleLocal, simulated()],
  tables: [duckdb()],
} as const satisfies Plugin;
