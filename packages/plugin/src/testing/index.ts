export { demand, type Check } from './check.js';
export { optimizerChecks } from './optimizer.js';
export { runtimeChecks } from './runtime.js';
export { storeChecks } from './store.js';
