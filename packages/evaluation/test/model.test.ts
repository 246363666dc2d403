import { evaluate, symbol } from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { nextItemTask } from '@user-llm/tasks';
import type { Event } from '@user-llm/plugin';
import { Tensor } from '@user-llm/tensor';
import { eventInputs } from '@user-llm/user-llm';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  AnswerLosses,
  encoderCandidate,
  evaluateCandidates,
  leaveLastOut,
  planQuestions,
  userControls,
  type ModelInHand,
  type TestQuestion,
} from '../src/index.js';
import { historyFeeds } from '../src/model/history-feeds.js';
import { modelGraph } from '../src/model/model-programs.js';
import { tinyModel, walks, withGates } from './tiny-model.js';

const data = walks();
const task = { ...nextItemTask(), metrics: ['recall@1', 'recall@5'] };
const asked = planQuestions(data, { split: leaveLastOut, tasks: [task] });
let held: ModelInHand;

beforeAll(async () => {
  held = await tinyModel(data, await OnnxRuntime.create());
});

const blank = ({ axes, shape, data: numbers }: Tensor) =>
  new Tensor('float32', axes, shape, new Float32Array(numbers.length)) as unknown as Tensor;

/** Scores of all items for each question. */
async function scoresOf(questions: readonly TestQuestion[]): Promise<number[][]> {
  const rankings = await encoderCandidate(data, held).rank!(questions, {});
  return rankings.map((ranking) => (ranking.kind === 'scores' ? [...Array.from(ranking.scores)] : []));
}

describe('the encoder alone', () => {
  it('scores items as the graph says, each at its own place', async () => {
    const [question] = asked.questions;
    const { batch, inputs } = eventInputs(held.model.features, symbol('batch'), symbol('event'));
    const source = modelGraph(held, inputs, (tree) => ({
      scores: held.model.encoder.nextItem(tree.encoder as never, batch),
    }));
    const feeds = historyFeeds(held, [question!.example.history]);
    const weights = Object.fromEntries(
      Object.keys(source.inputs).map((name) => [name, feeds[name] ?? held.weights[name]!]),
    );
    const { scores } = evaluate(source, weights);
    const [found] = await scoresOf([question!]);
    const { fitted } = held.eventTokenizer.feature('item');
    const id = new Int32Array(1);
    data.items.forEach((item, place) => {
      fitted.encode(item, id, 0);
      // The twelfth film was never watched: the encoder has no id for it.
      if (item === 'i11') expect(found![place]).toBe(-Infinity);
      else expect(found![place]).toBeCloseTo(Number(scores!.data[id[0]!]), 4);
    });
  });

  it('gives the same in any batch: padding never leaks', async () => {
    const together = await scoresOf(asked.questions);
    for (const [at, question] of asked.questions.entries()) {
      const [alone] = await scoresOf([question]);
      alone!.forEach((score, place) => {
        if (Number.isFinite(score)) expect(together[at]![place]).toBeCloseTo(score, 4);
      });
    }
  });

  it('is judged like any candidate', async () => {
    const { results } = await evaluateCandidates(data, asked, [encoderCandidate(data, held, { batchSize: 3 })]);
    expect(results[0]).toMatchObject({ candidate: 'encoder alone', questions: 10 });
  });
});

describe('histories as feeds', () => {
  const event = (item: number): Event => ({ user: 'u', item: `i${item}`, time: item });

  it('are the last events, from the start of each row; some may be empty', () => {
    const feeds = historyFeeds(held, [[0, 1, 2, 3, 4, 5].map(event), [], [event(7)]]);
    const { data: mask, shape } = feeds['events.mask']!;
    expect(shape).toEqual([3, 4]);
    expect([...(mask as Uint8Array)]).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0]);
    const { fitted } = held.eventTokenizer.feature('item');
    const items = [...(feeds['events.item']!.data as Int32Array)].map((id) => fitted.decode(id));
    expect(items.slice(0, 4)).toEqual(['i2', 'i3', 'i4', 'i5']);
    expect(items[8]).toBe('i7');
  });

  it('may all be empty', () => {
    expect([...(historyFeeds(held, [[], []])['events.mask']!.data as Uint8Array)]).toEqual([0, 0]);
  });
});

describe('losses of answers', () => {
  const answers = asked.questions.map(({ example }) => ({
    history: example.history,
    instruction: example.instruction,
    answer: example.target,
  }));

  it('are those of a uniform model where the LLM knows nothing', async () => {
    const zeros = Object.entries(held.weights).map(([name, tensor]) => {
      const table = name.includes('embed_tokens') || name.includes('lm_head');
      return [name, table ? blank(tensor) : tensor] as const;
    });
    const [loss] = await new AnswerLosses({ ...held, weights: Object.fromEntries(zeros) }).of(answers.slice(0, 1));
    expect(loss).toBeCloseTo(Math.log(held.textTokenizer.vocabularySize), 4);
  });

  it('do not depend on the batch', async () => {
    const losses = new AnswerLosses(withGates(held, 1));
    const together = await losses.of(answers);
    expect(new Set(together.map((loss) => loss.toFixed(6))).size).toBeGreaterThan(5);
    for (const [at, answer] of answers.entries()) {
      expect((await losses.of([answer]))[0]).toBeCloseTo(together[at]!, 4);
    }
  });
});

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
    const [result] = await run(withGates(held, 2));
    for (const { above } of result!.conditions.slice(1)) expect(Math.abs(above!.value)).toBeGreaterThan(1e-4);
    expect(result!.gates.map(({ value }) => value)).toEqual([Math.tanh(2), Math.tanh(2)]);
    expect(await run(withGates(held, 2))).toEqual([result]);
  });

  it('need two users', async () => {
    await expect(userControls(held, asked.questions.slice(0, 1))).rejects.toMatchObject({ code: 'too-few-users' });
  });
});
