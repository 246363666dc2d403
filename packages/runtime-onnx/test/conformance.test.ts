import { runtimeChecks } from '@user-llm/plugin/testing';
import { afterAll, describe, it } from 'vitest';
import { OnnxRuntime } from '../src/index.js';

describe.each([1, 2])('ONNX Runtime on %d threads', (threads) => {
  let runtime: Promise<OnnxRuntime> | undefined;
  afterAll(async () => (await runtime)?.dispose());
  for (const check of runtimeChecks(() => (runtime ??= OnnxRuntime.create({ intraOpThreads: threads }))))
    it(check.name, () => check.run());
});
