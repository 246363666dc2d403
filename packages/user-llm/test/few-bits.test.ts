import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { expect, it } from 'vitest';
import { history, smallConfig, smallModel } from './world.js';

const questions = [1, 2, 3, 4, 5].map((last) => ({ prompt: 'What comes next?', user: history('u', [0, last]) }));
const choices = ['Alien', 'Dune', 'Heat'];
const lora = { rank: 2, alpha: 8, dropout: 0, targets: ['*'] };

it.each([{ bits: 8 }, { bits: 4 }, { bits: 8, compact: true }, { bits: 4, compact: true }] as const)(
  'in few bits the LLM reads users, LoRA merged, and answers nearly as before: %o',
  async ({ bits, ...kept }) => {
    const runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
    const whole = await smallModel({ runtime, config: smallConfig({ lora }) });
    const few = await smallModel({ runtime, config: smallConfig({ lora }), bits, ...kept });
    const before = (await whole.scoreChoices(questions, choices)).flatMap((scores) => [...scores]);
    const after = (await few.scoreChoices(questions, choices)).flatMap((scores) => [...scores]);
    const errors = before.map((score, at) => Math.abs(score - after[at]!));
    const spread = Math.max(...before) - Math.min(...before);
    expect(Math.max(...errors)).toBeGreaterThan(1e-6);
    expect(Math.max(...errors)).toBeLessThan(spread * (bits === 8 ? 0.02 : 0.25));
    expect(few.weights).toEqual(whole.weights);
    await whole.dispose();
    await few.dispose();
    await runtime.dispose();
  },
  60_000,
);
