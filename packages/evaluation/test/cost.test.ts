import { Readable } from 'node:stream';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import type { UserLlmModel } from '@user-llm/user-llm';
import { beforeAll, describe, expect, it } from 'vitest';
import { answerFlops, timeAnswer, totalFlops } from '../src/index.js';
import { milliseconds } from '../src/cost/answer-cost.js';
import { tinyUserLlm, walks } from './tiny-model.js';

let model: UserLlmModel;
beforeAll(async () => {
  ({ model } = await tinyUserLlm(walks(), await OnnxRuntime.create({ intraOpThreads: 1 })));
});

describe('operations of an answer', () => {
  const size = { historyEvents: 4, promptTokens: 10, answerTokens: 5 };

  it('are those of the linear maps and attention, counted by hand', () => {
    const { prefill } = answerFlops(model, { ...size, answerTokens: 1 }, 'none');
    const weights = Object.values(model.llm.linearMaps).reduce((sum, map) => sum + map.inputs * map.outputs, 0);
    const logits = model.llm.modelWidth * model.llm.vocabularySize;
    // Scores and mixed values of 2 layers: 10 tokens, 11 places, width 8.
    const attention = 2 * 2 * (2 * 10 * 11 * 8);
    const matrices = 2 * (10 * weights + logits) + attention;
    expect(prefill).toBeGreaterThanOrEqual(matrices);
    // Norms, softmax, activations and the writing of caches come on top; large beside maps this small.
    expect(prefill).toBeLessThan(2 * matrices);
  });

  it('come from the user once, and not again where the context is cached', () => {
    const scratch = answerFlops(model, size, 'scratch');
    const cached = answerFlops(model, size, 'cached');
    expect(Object.keys(scratch)).toEqual(['encoder', 'compressor', 'context', 'prefill', 'decode']);
    expect(Object.values(scratch).every((flops) => flops > 0)).toBe(true);
    expect(cached).toEqual({ prefill: scratch['prefill'], decode: scratch['decode'] });
    const alone = answerFlops(model, size, 'none');
    expect(totalFlops(alone)).toBeLessThan(totalFlops(cached));
  });

  it('grow with what grows', () => {
    const longer = answerFlops(model, { ...size, answerTokens: 9 }, 'none');
    const shorter = answerFlops(model, { ...size, answerTokens: 1 }, 'none');
    expect(shorter['decode']).toBe(0);
    expect(longer['decode']).toBeGreaterThan(
      8 * 0.9 * (answerFlops(model, { ...size, answerTokens: 2 }, 'none')['decode'] ?? 0),
    );
    const encoder = (historyEvents: number) => answerFlops(model, { ...size, historyEvents }, 'scratch')['encoder']!;
    expect(encoder(4)).toBeGreaterThan(encoder(2));
    // It reads four events at most.
    expect(encoder(400)).toBe(encoder(4));
  });
});

describe('time of an answer', () => {
  it('is measured to the first token and to the last, as often as asked', async () => {
    let runs = 0;
    async function* answer() {
      runs++;
      for (const token of 'abc') {
        await Promise.resolve();
        yield token;
      }
    }
    const found = await timeAnswer(answer, { repeats: 4, warmUps: 2 });
    expect(runs).toBe(6);
    expect(found.answerTokens).toBe(3);
    expect(found.answer.repeats).toBe(4);
    expect(found.answer.least).toBeLessThanOrEqual(found.answer.median);
    expect(found.answer.median).toBeLessThanOrEqual(found.answer.most);
    expect(found.firstToken.least).toBeLessThanOrEqual(found.answer.most);
  });

  it('is the same to the first token and to the last where that ends it', async () => {
    const found = await timeAnswer(() => Readable.from([]), { repeats: 1 });
    expect(found.answerTokens).toBe(0);
    expect(found.firstToken).toEqual(found.answer);
  });

  it('has a median', () => {
    expect(milliseconds([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3, repeats: 3 });
    expect(milliseconds([4, 1, 2, 3]).median).toBe(2.5);
    expect(milliseconds([7]).median).toBe(7);
  });
});
