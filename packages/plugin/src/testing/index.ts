export { demand, type Check } from './check.js';
export { compressorChecks, type CompressorClaims } from './compressor.js';
export { encoderChecks, type EncoderClaims } from './encoder.js';
export { featureChecks, type FeatureSample } from './feature.js';
export { fusionChecks, type FusionClaims } from './fusion.js';
export { metricChecks } from './metric.js';
export { optimizerChecks } from './optimizer.js';
export { runtimeChecks } from './runtime.js';
export { storeChecks } from './store.js';
