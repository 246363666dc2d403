export { exportOnnx, type ExportOptions } from './export-onnx.js';
export type { GraphOptimization } from './ort/engine.js';
export type { EngineOptions } from './ort/load-engine.js';
export type { ProviderChoice, ProviderName, ProviderSettings } from './ort/providers.js';
export { OnnxProgram } from './program.js';
export { OnnxRuntime, type OnnxRuntimeOptions } from './runtime.js';
export { OnnxStatefulProgram } from './stateful-program.js';
export { OnnxValue } from './value.js';
