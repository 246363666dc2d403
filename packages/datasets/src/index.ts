export { formatCard } from './describe/format-card.js';
export type { DatasetCard, LengthBin } from './describe/dataset-card.js';
export { describeDataset } from './describe/describe-dataset.js';
export { downloadNames } from './download/catalogue.js';
export { download, type DownloadedFile, type DownloadOptions, type DownloadProgress } from './download/download.js';
export {
  clickhouse,
  type ClickHouse,
  type ClickHouseOptions,
  type ClickHouseRow,
} from './engines/clickhouse/clickhouse.js';
export { duckdb } from './engines/duckdb/duckdb.js';
export { datasetParts } from './parts.js';
export { datasetFiles, openDataset, type Dataset, type DatasetManifest } from './prepare/manifest.js';
export type { PrepareOptions, PrepareProgress } from './prepare/options.js';
export { prepareDataset } from './prepare/prepare-dataset.js';
export type { SimulationOptions } from './simulate/options.js';
export { simulate, type SimulatedWorld } from './simulate/simulate.js';
export { amazonReviews } from './sources/amazon-reviews.js';
export { googleLocal } from './sources/google-local.js';
export { movielens } from './sources/movielens.js';
export { simulated } from './sources/simulated.js';
export { fromTable, type TableOptions } from './sources/table.js';
