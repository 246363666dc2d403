import type { Runtime } from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { favouriteCategoryTask, nextItemTask } from '@user-llm/tasks';
import { encodeAnswer, encodePrompt, type UserLlm } from '@user-llm/user-llm';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  AnswerLosses,
  evaluateCandidates,
  leaveLastOut,
  measureCosts,
  planQuestions,
  textPromptCandidate,
  userLlmCandidate,
} from '../src/index.js';
import { HistoryPrompts } from '../src/candidates/text-prompt.js';
import { films, tinyUserLlm, walks } from './tiny-model.js';

const data = walks();
const next = { ...nextItemTask(), metrics: ['recall@1', 'recall@5'] };
const genre = favouriteCategoryTask({ noun: 'genre' });
const asked = planQuestions(data, { split: leaveLastOut, tasks: [next, genre], historyLength: 4 });
const [first, second] = asked.questions;
let runtime: Runtime;
let userLlm: UserLlm;

beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  userLlm = await tinyUserLlm(data, runtime, 2);
});

describe('the User-LLM', () => {
  it('ranks titles by their likelihood, seen ones left out', async () => {
    const candidate = userLlmCandidate(data, userLlm, { count: 12 });
    const [ranking] = await candidate.rank!([first!], {});
    const losses = new AnswerLosses({ ...userLlm.parts, runtime });
    const { history, instruction } = first!.example;
    const unseen = films.filter(({ item }) => !first!.seen.has(item));
    const found = await losses.of(unseen.map(({ title }) => ({ history, instruction, answer: title! })));
    const likelihood = new Map(
      unseen.map(({ item, title }, at) => [
        item,
        -found[at]! * encodeAnswer(userLlm.parts.textTokenizer, title!).length,
      ]),
    );
    const expected = [...likelihood].sort(([, a], [, b]) => b - a).map(([item]) => item);
    expect(ranking).toEqual({ kind: 'list', items: expected });
  });

  it('chooses among the categories there are', async () => {
    const candidate = userLlmCandidate(data, userLlm);
    const [answer] = await candidate.answer!([second!], {});
    const losses = await new AnswerLosses({ ...userLlm.parts, runtime }).of(
      ['Comedy', 'Drama'].map((label) => ({ ...second!.example, answer: label })),
    );
    const sums = ['Comedy', 'Drama'].map(
      (label, at) => losses[at]! * encodeAnswer(userLlm.parts.textTokenizer, label).length,
    );
    expect(answer).toBe(sums[0]! < sums[1]! ? 'Comedy' : 'Drama');
  });

  it('is judged beside its text prompts, whatever the batches', async () => {
    const judge = async (batchSize: number) => {
      const candidates = [
        userLlmCandidate(data, userLlm, { batchSize }),
        textPromptCandidate(data, userLlm, { lastEvents: 2, batchSize }),
      ];
      const { results, predictions } = await evaluateCandidates(data, asked, candidates);
      expect(results.map(({ candidate, task }) => `${candidate}: ${task}`)).toEqual([
        'User-LLM by cross-attention: next-item',
        'text prompt, last 2 events: next-item',
        'User-LLM by cross-attention: favourite-genre',
        'text prompt, last 2 events: favourite-genre',
      ]);
      return [...predictions.values()];
    };
    expect(await judge(3)).toEqual(await judge(16));
  });
});

describe('text prompts', () => {
  it('tell the last events, as many as leave room for an answer', () => {
    const prompts = new HistoryPrompts(userLlm, data.catalogue);
    const long = {
      ...first!.example,
      history: Array.from({ length: 60 }, (_, at) => ({ user: 'u', item: `i${at % 11}`, time: at })),
    };
    expect(prompts.of(long, 2)).toMatchObject({ events: 2 });
    const cut = prompts.of(long, 50);
    expect(cut.events).toBeGreaterThan(2);
    expect(cut.events).toBeLessThan(50);
    expect(cut.text).toContain('Film e');
    const { textTokenizer } = userLlm.parts;
    const title = encodeAnswer(textTokenizer, 'Film a').length;
    expect(encodePrompt(textTokenizer, cut.text).length).toBeLessThanOrEqual(256 - title);
    expect(encodePrompt(textTokenizer, prompts.of(long, cut.events + 1).text).length).toBeLessThanOrEqual(256 - title);
  });
});

describe('costs', () => {
  it('are measured from scratch, cached and by text, for lengths that there are', async () => {
    const steps: string[] = [];
    const costs = await measureCosts(data, userLlm, asked.questions, {
      historyEvents: [2, 4, 50],
      repeats: 2,
      warmUps: 0,
      onProgress: (step) => steps.push(step),
    });
    expect(steps).toHaveLength(6);
    expect(costs.map(({ candidate, historyEvents }) => `${candidate} ${historyEvents}`).slice(0, 3)).toEqual([
      'User-LLM, context from scratch 2',
      'User-LLM, context cached 2',
      'text prompt 2',
    ]);
    const [scratch, cached, text] = costs.slice(3);
    expect(scratch!.promptTokens).toBe(cached!.promptTokens);
    expect(text!.promptTokens).toBeGreaterThan(2 * cached!.promptTokens);
    expect(Object.keys(scratch!.flops)).toContain('encoder');
    expect(Object.keys(text!.flops)).toEqual(['prefill', 'decode']);
    expect(scratch!.answerTokens).toBe(cached!.answerTokens);
    expect(scratch!.answer.repeats).toBe(2);
  });

  it('of no question are none', async () => {
    expect(await measureCosts(data, userLlm, [])).toEqual([]);
  });
});
