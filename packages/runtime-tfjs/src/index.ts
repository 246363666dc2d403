export { supportedDTypes } from './dtypes.js';
export { engineNames, type Engine, type EngineName } from './engine/engine.js';
export { installedEngines, loadEngine, type EngineOptions } from './engine/load.js';
export { Program, type Results } from './program.js';
export { TfjsRuntime } from './runtime.js';
export { TrainStep } from './train-step.js';
export { Value } from './value.js';
