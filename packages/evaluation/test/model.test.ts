import type { Runtime } from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { nextItemTask } from '@user-llm/tasks';
import { Tensor } from '@user-llm/tensor';
import { answerTokens, titleTrie, type UserLlm } from '@user-llm/user-llm';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  AnswerLosses,
  encoderCandidate,
  evaluateCandidates,
  evaluationData,
  leaveLastOut,
  perplexityOf,
  planQuestions,
  userControls,
  type ModelInHand,
  type TestQuestion,
} from '../src/index.js';
import { films, tinyUserLlm, walks } from './tiny-model.js';

const data = walks();
const task = { ...nextItemTask(), metrics: ['recall@1', 'recall@5'] };
const asked = planQuestions(data, { split: leaveLastOut, tasks: [task] });
let runtime: Runtime;
let userLlm: UserLlm;
let held: ModelInHand;
let open: ModelInHand;

beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  userLlm = await tinyUserLlm(data, runtime);
  held = { ...userLlm.parts, runtime };
  open = { ...(await tinyUserLlm(data, runtime, 2)).parts, runtime };
});

/** Scores of all items for each question. */
async function scoresOf(questions: readonly TestQuestion[], of = data): Promise<number[][]> {
  const rankings = await encoderCandidate(of, userLlm).rank!(questions, {});
  return rankings.map((ranking) => (ranking.kind === 'scores' ? Array.from(ranking.scores) : []));
}

describe('the encoder alone', () => {
  it('scores the items of the data, those that the model does not know last', async () => {
    const wider = evaluationData({
      name: 'wider',
      items: [{ item: 'new' }],
      events: data.histories.flatMap(({ events }) => events),
    });
    const [known] = await scoresOf(asked.questions.slice(0, 1));
    const [found] = await scoresOf(asked.questions.slice(0, 1), wider);
    expect(found![wider.places.get('new')!]).toBe(-Infinity);
    for (const item of ['i0', 'i5', 'i10']) {
      expect(found![wider.places.get(item)!]).toBe(known![data.places.get(item)!]);
    }
    // The twelfth film was never watched.
    expect(known!.filter((score) => score === -Infinity)).toHaveLength(1);
  });

  it('gives the same in any batch', async () => {
    const together = await scoresOf(asked.questions);
    for (const [at, question] of asked.questions.entries()) {
      const [alone] = await scoresOf([question]);
      const finite = alone!
        .map((score, place) => [score, together[at]![place]!])
        .filter(([score]) => score !== -Infinity);
      for (const [score, other] of finite) expect(other).toBeCloseTo(score!, 4);
    }
  });

  it('is judged like any candidate', async () => {
    const { results } = await evaluateCandidates(data, asked, [encoderCandidate(data, userLlm, { batchSize: 3 })]);
    expect(results[0]).toMatchObject({ candidate: 'encoder alone', questions: 10 });
  });
});

describe('losses of answers', () => {
  const answers = asked.questions.map(({ example }) => ({
    history: example.history,
    instruction: example.instruction,
    answer: example.target,
  }));

  it('are those of a uniform model where the LLM knows nothing', async () => {
    const [loss] = await new AnswerLosses(ignorant()).of(answers.slice(0, 1));
    expect(loss).toBeCloseTo(Math.log(held.textTokenizer.vocabularySize), 4);
  });

  it('do not depend on the batch', async () => {
    const losses = new AnswerLosses(open);
    const together = await losses.of(answers);
    expect(new Set(together.map((loss) => loss.toFixed(6))).size).toBeGreaterThan(5);
    for (const [at, answer] of answers.entries()) {
      expect((await losses.of([answer]))[0]).toBeCloseTo(together[at]!, 4);
    }
  });
});

describe('losses of constrained titles', () => {
  it('are what the ranking has of them, for each choice', async () => {
    const constrained = await tinyUserLlm(data, runtime, 2, { titles: 'constrained' });
    const questions = asked.questions.slice(0, 4);
    const losses = new AnswerLosses({ ...constrained.parts, runtime });
    const found = await losses.of(
      questions.map(({ example }) => ({
        history: example.history,
        instruction: example.instruction,
        answer: example.target,
        isTitle: true,
      })),
    );
    const trie = titleTrie(constrained.parts.textTokenizer, films);
    const ranked = await constrained.rankTitles(
      questions.map(({ example }) => ({ user: example.history, prompt: example.instruction })),
      { count: films.length, beamWidth: 100 },
    );
    questions.forEach(({ example }, at) => {
      const { choices } = answerTokens(constrained.parts.textTokenizer, example.target, trie);
      const { score } = ranked[at]!.find(({ item }) => item === example.item)!;
      expect(found[at]! * choices.length).toBeCloseTo(-score, 4);
    });
    await losses.dispose();
    await constrained.dispose();
  });
});

describe('perplexity', () => {
  const texts = ['Film a', 'A longer text, of which the model knows nothing.'];

  it('is the size of the vocabulary where the LLM knows nothing', async () => {
    const { perplexity, tokens } = await perplexityOf(ignorant(), texts);
    expect(perplexity).toBeCloseTo(held.textTokenizer.vocabularySize, 2);
    const counts = texts.map((text) => held.textTokenizer.encode(text).length + 1);
    const unpredicted = held.textTokenizer.opensWith.length === 0 ? 1 : 0;
    expect(tokens).toBe(counts[0]! + counts[1]! - 2 * unpredicted);
  });

  it('is the mean over tokens, and does not see open gates', async () => {
    const [one, other] = await Promise.all(texts.map((text) => perplexityOf(held, [text])));
    const both = await perplexityOf(held, texts);
    const mean = (Math.log(one!.perplexity) * one!.tokens + Math.log(other!.perplexity) * other!.tokens) / both.tokens;
    expect(Math.log(both.perplexity)).toBeCloseTo(mean, 5);
    expect((await perplexityOf(open, texts)).perplexity).toBeCloseTo(both.perplexity, 4);
  });
});

/** The model with an LLM whose logits are all alike. */
function ignorant(): ModelInHand {
  const blank = ({ axes, shape, size }: Tensor<'float32'>) =>
    new Tensor('float32', axes, shape, new Float32Array(size)) as unknown as Tensor<'float32'>;
  const weights = Object.entries(held.weights).map(([name, tensor]) => {
    return [name, /embed_tokens|lm_head/u.test(name) ? blank(tensor) : tensor] as const;
  });
  return { ...held, weights: Object.fromEntries(weights) };
}

describe('controls', () => {
  const run = (model: ModelInHand) =>
    userControls(model, asked.questions, { batchSize: 4, bootstrap: { resamples: 50 } });

  it('see no difference while the gates are closed', async () => {
    const [result] = await run(held);
    expect(result!.conditions.map(({ condition }) => condition)).toEqual(['own user', 'another user', 'no user']);
    expect(result!.conditions.slice(1).map(({ above }) => Math.abs(above!.value) < 1e-6)).toEqual([true, true]);
    expect(result!.gates.map(({ value }) => value)).toEqual([0, 0]);
  });

  it('see whom the model was told of once they are open', async () => {
    const [result] = await run(open);
    for (const { above } of result!.conditions.slice(1)) expect(Math.abs(above!.value)).toBeGreaterThan(1e-4);
    expect(result!.gates.map(({ value }) => value)).toEqual([Math.tanh(2), Math.tanh(2)]);
    expect(await run(open)).toEqual([result]);
  });

  it('say what is next', async () => {
    const told: string[] = [];
    await userControls(open, asked.questions, { bootstrap: { resamples: 50 }, onProgress: (next) => told.push(next) });
    const [task] = asked.tasks;
    expect(told).toEqual(['own user', 'another user', 'no user'].map((user) => `${task!.name}, ${user}`));
  });

  it('need two users', async () => {
    await expect(userControls(held, asked.questions.slice(0, 1))).rejects.toMatchObject({ code: 'too-few-users' });
  });
});
