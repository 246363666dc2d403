import { readFileSync } from 'node:fs';
import type { LanguageModel, Plugin } from '@user-llm/plugin';
import * as pluginPackage from '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import * as zodPackage from 'zod';
import * as llmPackage from '../src/index.js';
import { familyChecks } from '../src/testing/index.js';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const guide = read('../../../docs/guides/add-a-model-family.md');

/** The family of the guide's example, which is the first block of JavaScript. */
function magpie(): LanguageModel {
  const [, example] = /```js\n(.*?)```/s.exec(guide)!;
  const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(example!, { compilerOptions: options });
  const packages: Readonly<Record<string, unknown>> = {
    '@user-llm/llm': llmPackage,
    '@user-llm/plugin': pluginPackage,
    zod: zodPackage,
  };
  const exported: { default?: Plugin } = {};
  const body = new Function('require', 'exports', outputText) as (...given: unknown[]) => void;
  body((name: string) => packages[name], exported);
  return exported.default!.llms![0]!;
}

let opened: Promise<OnnxRuntime> | undefined;
const runtime = (): Promise<OnnxRuntime> => (opened ??= OnnxRuntime.create({ intraOpThreads: 1 }));
afterAll(async () => {
  await (await opened)?.dispose();
});

describe("the guide's family", () => {
  const sizes = { vocabularySize: 40, width: 16, layers: 2, heads: 4, feedForward: 24, maximumTokens: 24 };
  const config = { ...sizes, tiedEmbedding: false, embeddingScale: 3 };
  for (const { name, run } of familyChecks({ family: magpie(), config, runtime })) it(name, run, 60_000);

  it('refuses what it has no field for', () => {
    const json = magpie().checkpoints!.toHuggingFace(llmPackage.llama.config.parse(sizes)) as object;
    expect(() => magpie().checkpoints!.fromHuggingFace({ ...json, partial_rotary_factor: 0.5 })).toThrow(
      expect.objectContaining({ code: 'bad-config' }) as Error,
    );
  });
});

describe('README', () => {
  it('names every export', () => {
    const exports = [...read('../src/index.ts').matchAll(/export (?:type )?\{(.*?)\}/gs)].flatMap(([, names]) =>
      names!.split(',').map((name) => name.replace(/type /, '').trim()),
    );
    const named = new Set(read('../README.md').match(/\w+/g));
    expect(exports.filter((name) => name !== '' && !named.has(name))).toEqual([]);
  });
});
