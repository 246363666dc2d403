import { programChecks } from '@user-llm/plugin/testing';
import { it } from 'vitest';
import { TfjsRuntime } from '../src/index.js';
import { describeEngines } from './engines.js';

describeEngines('programs', (_, name) => {
  let runtime: Promise<TfjsRuntime> | undefined;
  for (const check of programChecks(() => (runtime ??= TfjsRuntime.create({ engine: name })))) {
    it(check.name, () => check.run());
  }
});
