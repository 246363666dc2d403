import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { describe, expect, it } from 'vitest';
import {
  createDecoder,
  generateTexts,
  llama,
  loadLanguageModel,
  loadTokenizer,
  type LlamaConfig,
} from '../src/index.js';
import { realModel } from './models.js';

const stories = realModel('stories260K');
const smol = realModel('SmolLM2-135M-Instruct');

describe('real models', () => {
  it.skipIf(stories.missing)(`tells the story of stories260K.md word for word${stories.says}`, async () => {
    const { config, weights, tokenizer } = await loadLanguageModel(join(stories.path, 'stories260K.bin'));
    const said = /-t 0\.0\n(.*?)\n```/s.exec(readFileSync(join(stories.path, 'stories260K.md'), 'utf8'))![1]!;
    const runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
    const stepper = createDecoder({ llm: llama.build(config as LlamaConfig), weights, runtime });
    const prompts = [tokenizer!.opensWith];
    const [story] = await generateTexts({ stepper, tokenizer: tokenizer!, prompts }, { maximumTokens: 256 });
    expect(story).toBe(said);
    await stepper.dispose();
    await runtime.dispose();
  });

  it.skipIf(smol.missing)(`gives the ids of SmolLM2's own tokenizer${smol.says}`, () => {
    const tokenizer = loadTokenizer(readFileSync(join(smol.path, 'tokenizer.json'), 'utf8'));
    const { cases } = JSON.parse(readFileSync(join(smol.path, 'golden.json'), 'utf8')) as {
      cases: readonly { readonly prompt: string; readonly ids: readonly number[] }[];
    };
    // One case is a token alone, without a text.
    const texts = cases.filter(({ prompt }) => prompt !== '');
    expect(texts.length).toBeGreaterThan(3);
    for (const { prompt, ids } of texts) expect(tokenizer.encode(prompt)).toEqual(ids);
  });
});
