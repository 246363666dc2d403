export { duckdb } from './engines/duckdb/duckdb.js';
export { datasetFiles, openDataset, type Dataset, type DatasetManifest } from './prepare/manifest.js';
export type { PrepareOptions, PrepareProgress } from './prepare/options.js';
export { prepareDataset } from './prepare/prepare-dataset.js';
export { amazonReviews } from './sources/amazon-reviews.js';
export { googleLocal } from './sources/google-local.js';
export { movielens } from './sources/movielens.js';
export { fromTable, type TableOptions } from './sources/table.js';
