import { runtimeChecks } from '@user-llm/plugin/testing';
import { beforeAll, expect, it } from 'vitest';
import { TfjsRuntime } from '../src/index.js';
import { describeEngines } from './engines.js';

describeEngines('conformance', (_, name) => {
  let runtime: TfjsRuntime;
  beforeAll(async () => {
    runtime = await TfjsRuntime.create({ engine: name });
  });
  for (const check of runtimeChecks(() => Promise.resolve(runtime))) {
    it(`${check.name}, and memory is released`, async () => {
      const { memory } = runtime.engine.tf;
      const before = memory().numTensors;
      await check.run();
      expect(memory().numTensors).toBe(before);
    });
  }
});
