import { describe } from 'vitest';
import { installedEngines, loadEngine, type Engine, type EngineName } from '../src/index.js';

/** The engines that the tests run on: WebAssembly always, TensorFlow where its package is installed or built. */
const tested: readonly EngineName[] = ['wasm', 'tfjs-node'];

/** Runs a suite on each engine; the name of a skipped one says what is missing. */
export function describeEngines(what: string, suite: (engine: () => Promise<Engine>, name: EngineName) => void): void {
  for (const name of tested) {
    const missing = !installedEngines().includes(name);
    const title = missing ? `${what} on ${name} (not installed; set USER_LLM_TFJS_NODE)` : `${what} on ${name}`;
    describe.skipIf(missing)(title, () => suite(() => loadEngine({ engine: name }), name));
  }
}
