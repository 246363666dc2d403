import { programChecks } from '@user-llm/plugin/testing';
import { describe, it } from 'vitest';
import { OnnxRuntime } from '../src/index.js';

describe('programs on ONNX Runtime', () => {
  let runtime: Promise<OnnxRuntime> | undefined;
  for (const check of programChecks(() => (runtime ??= OnnxRuntime.create()))) it(check.name, () => check.run());
});
