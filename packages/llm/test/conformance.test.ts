import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { afterAll, describe, it } from 'vitest';
import { builtInFamilies } from '../src/index.js';
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
  (await opened)?.dispose();
});

describe.each(builtInFamilies)('the family $part.name', (family) => {
  for (const { name, run } of familyChecks({ family, config: configs[family.part.name], runtime })) it(name, run);
});
