export { supportedDTypes } from './dtypes.js';
export { engineNames, type Engine, type EngineName } from './engine/engine.js';
export { installedEngines, loadEngine, type EngineOptions } from './engine/load.js';
export { Program, type Feeds, type Results } from './program.js';
export { TfjsRuntime, type TrainStepOptions } from './runtime.js';
export { TrainStep } from './train-step.js';
export { Value } from './value.js';
