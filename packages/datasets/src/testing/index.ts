export { tableEngineChecks } from './engine-checks.js';
export { datasetSourceChecks } from './source-checks.js';
