import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { modelSuite } from './model-suite.js';

modelSuite('runtime-onnx, threads: 1', () => OnnxRuntime.create({ intraOpThreads: 1 }));
