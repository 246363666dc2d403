import { TfjsRuntime } from '@user-llm/runtime-tfjs';
import { modelSuite } from './model-suite.js';

modelSuite('runtime-tfjs on WebAssembly, threads: 2', () => TfjsRuntime.create({ engine: 'wasm', threads: 2 }));
