import { add, mean, multiply, not, or } from '@user-llm/graph';
import type { LanguageModel, LanguageModelModule, StoredTensor, TokenBatch } from '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { UserLlmError } from '@user-llm/tensor';
import { afterAll, describe, expect, it } from 'vitest';
import { languageModels, llama as builtInLlama } from '../src/index.js';
import { familyChecks } from '../src/testing/index.js';

const sizes = {
  vocabularySize: 40,
  width: 16,
  layers: 2,
  heads: 4,
  feedForward: 24,
  maximumTokens: 24,
  tiedEmbedding: false,
};
const shared = { ...sizes, keyValueHeads: 2 };
const windowed = { ...shared, window: 4, localLayers: [0] };

/** A small model of each family, with what is its own. */
const configs: Readonly<Record<string, object>> = {
  gpt2: { ...sizes, tiedEmbedding: true, scoresByLayer: true },
  llama: { ...shared, attentionBias: true, feedForwardBias: true, rotaryScaling: { kind: 'linear', factor: 2 } },
  mistral: { ...shared, window: 4, headSize: 16 },
  qwen2: { ...windowed, tiedEmbedding: true },
  qwen3: { ...windowed, headSize: 6 },
  gemma2: { ...windowed, headSize: 16, attentionSoftCap: 4, logitSoftCap: 6, scoreDivisor: 9 },
  gemma3: { ...windowed, headSize: 6, rotaryBase: 1000, localRotaryBase: 50, tiedEmbedding: true },
  phi3: { ...shared, window: 5, headSize: 8, rotaryShare: 0.5 },
};

let opened: Promise<OnnxRuntime> | undefined;
const runtime = (): Promise<OnnxRuntime> => (opened ??= OnnxRuntime.create({ intraOpThreads: 1 }));
afterAll(async () => {
  await (await opened)?.dispose();
});

describe.each(languageModels)('the family $name', (family) => {
  for (const { name, run } of familyChecks({ family, config: configs[family.name], runtime })) it(name, run, 60_000);
});

describe('a family that does not conform', () => {
  type Module = LanguageModelModule;
  const llama: LanguageModel = builtInLlama;
  /** Llama with something changed in what it builds. */
  const changed = (change: (llm: Module) => Partial<Module>): LanguageModel => ({
    ...llama,
    build: (config) => {
      const llm = llama.build(config);
      return { ...llm, ...change(llm) };
    },
  });
  const mixedUp = (weights: readonly StoredTensor[]): LanguageModel => ({
    ...llama,
    checkpoints: { ...llama.checkpoints!, stateDict: () => weights },
  });
  const without = (batch: TokenBatch): TokenBatch => ({ tokens: batch.tokens });

  it.each<[string, string, LanguageModel]>([
    [
      'does not call hooks',
      'each linear map calls once, and goes on with what comes back',
      changed((llm) => ({ apply: (tree, batch) => llm.apply(tree, without(batch)) })),
    ],
    [
      'leaves the prefix out',
      'embeddings of tokens as a prefix read as these tokens do',
      changed((llm) => ({ apply: (tree, batch) => llm.apply(tree, without(batch)) })),
    ],
    [
      'sees later tokens',
      'no token sees those after it',
      changed((llm) => ({
        hidden: (tree, batch) => add(llm.hidden(tree, batch), mean(llm.embed(tree, batch.tokens), 'token')),
        apply: (tree, batch) => add(llm.apply(tree, batch), mean(llm.apply(tree, batch), 'token')),
      })),
    ],
    [
      'forgets how long slots are',
      'prompts of unequal lengths, and tokens after them one by one, read as whole texts do',
      changed((llm) => ({
        decode: (tree, step) => llm.decode(tree, { ...step, lengths: multiply(step.lengths, 0) }),
      })),
    ],
    [
      'reads branches as one text',
      'branches of a prompt read as texts of their own do, where the family has them',
      changed((llm) => ({
        branch: (tree, step) => llm.branch!(tree, { ...step, mask: or(step.mask, not(step.mask)) }),
      })),
    ],
    [
      'tells of another map',
      'each linear map is a parameter of its sizes',
      changed(({ linearMaps }) => ({ linearMaps: { ...linearMaps, 'model.head': { inputs: 16, outputs: 40 } } })),
    ],
    [
      'counts no label',
      'the loss is the cross-entropy of the logits, and every parameter has a gradient',
      changed((llm) => ({ loss: (tree, hidden, labels) => multiply(llm.loss(tree, hidden, labels), 0.5) })),
    ],
    [
      'stores a parameter twice',
      'a saved model is the same when it is loaded, and when that is saved again',
      mixedUp([{ name: 'both', holds: ['model.norm.weight', 'model.norm.weight'] }]),
    ],
  ])(
    'is refused where it %s',
    async (_, name, family) => {
      const check = familyChecks({ family, config: configs['llama'], runtime }).find((own) => own.name === name)!;
      const problem: unknown = await check.run().catch((error: unknown) => error);
      expect(UserLlmError.isInstance(problem) && problem.code).toMatch(/^(not-conforming|bad-argument)$/);
    },
    60_000,
  );
});
