import { resolve } from 'node:path';
import { ESLint } from 'eslint';
import typescript from 'typescript-eslint';
import { beforeAll, expect, it } from 'vitest';
import { runCommand } from '../src/command.js';
import { programPath, quietEnvironment } from '../src/steps/command-step.js';

const root = resolve(import.meta.dirname, '../../..');
// The rules asked about read no types, and a program of all that a line imports is not needed to hear of it.
const eslint = new ESLint({ cwd: root, overrideConfig: typescript.configs.disableTypeChecked });

beforeAll(async () => {
  // In a fresh clone the rule would find no project graph and skip itself.
  const nx = programPath(root, 'nx/dist/bin/nx.js');
  const made = await runCommand(process.execPath, [nx, 'show', 'projects'], {
    cwd: root,
    environment: quietEnvironment,
  });
  expect(made.status, made.output).toBe(0);
});

/** The rules that a line breaks when it stands in a file of a package. */
async function rulesBroken(file: string, line: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(`${line}\n`, { filePath: resolve(root, file) });
  return result!.messages.map(({ ruleId }) => ruleId);
}

it.each([
  ['a floor above', 'packages/tensor/src/tensor.ts', "export { graph } from '@user-llm/graph';"],
  ['the same floor', 'packages/tokenization/src/vocabulary.ts', "export * as other from '@user-llm/datasets';"],
  [
    'another package by its path',
    'packages/graph/src/graph.ts',
    "export { Tensor } from '../../tensor/src/tensor.js';",
  ],
  ['an app', 'packages/tokenization/src/vocabulary.ts', "export * as app from '@user-llm/train';"],
  ['a tool', 'packages/graph/src/graph.ts', "export * as tool from '@user-llm/bench';"],
])('reports an import of %s', async (_, file, line) => {
  expect(await rulesBroken(file, line)).toContain('@nx/enforce-module-boundaries');
});

it('reports an import behind the door of a package', async () => {
  const line = "export { Tensor } from '@user-llm/tensor/src/tensor.js';";
  expect(await rulesBroken('packages/graph/src/graph.ts', line)).toContain('no-restricted-imports');
});

it('allows an import from a floor below', async () => {
  expect(await rulesBroken('packages/graph/src/graph.ts', "export { Tensor } from '@user-llm/tensor';")).toEqual([]);
});

it('lets no comment switch a rule off', async () => {
  const text = '// eslint-disable-next-line @typescript-eslint/no-explicit-any\nexport const anything = 1 as any;';
  expect(await rulesBroken('packages/graph/src/graph.ts', text)).toContain('@typescript-eslint/no-explicit-any');
});
