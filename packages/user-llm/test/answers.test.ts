import { evaluate, graph, input, parameterInputs, toReference } from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { TfjsRuntime } from '@user-llm/runtime-tfjs';
import { Random, Tensor, type TypedArray } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  allowedTokens,
  answerTokens,
  encodeAnswer,
  encodePrompt,
  eventInputs,
  historyFeeds,
  idsOf,
  titleTrie,
  type AnswerTokens,
  type TitleTrie,
  type UserLlm,
} from '../src/index.js';
import { catalogue, history, smallConfig, smallModel, textTokenizer } from './world.js';

let runtime: OnnxRuntime;
let model: UserLlm;
beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  model = await smallModel({ runtime });
});
afterAll(async () => {
  await model.dispose();
  await runtime.dispose();
});

const prompt = 'What comes next?';
const alice = history('alice', [1, 2, 3, 4]);
const bob = history('bob', [6, 7]);

/** Logits at every token of a text by the reference kernels, of a user's events or of the LLM alone. */
function logits(of: UserLlm, tokens: readonly number[], events?: typeof alice): Float64Array[] {
  const { model: composed, parts } = of;
  const { tree, named } = parameterInputs(composed.parameters);
  const token = input('tokens', 'int32', ['batch', 'token'], [1, tokens.length]);
  const ids = events && idsOf(parts.eventTokenizer, events, composed.maximumEvents);
  const { batch, inputs } = eventInputs(composed.features, 1, Math.max(1, ids?.length ?? 0));
  const context = events ? { context: composed.userContext(tree, batch) } : {};
  const whole = graph([token, ...(events ? inputs : []), ...Object.values(named)], {
    logits: composed.logits(tree, { tokens: token, ...context }),
  });
  const fed: Record<string, Tensor> = {
    tokens: new Tensor('int32', ['batch', 'token'], [1, tokens.length], Int32Array.from(tokens)) as unknown as Tensor,
    ...(ids ? historyFeeds(composed.features, [ids]) : {}),
    ...(of.weights as unknown as Record<string, Tensor>),
  };
  const { data, shape } = evaluate(
    whole,
    Object.fromEntries(Object.entries(fed).map(([name, tensor]) => [name, toReference(tensor)])),
  )['logits']!;
  const width = shape[2]!;
  return tokens.map((_, at) => (data as TypedArray as Float64Array).subarray(at * width, (at + 1) * width));
}

/** The likeliest tokens one after the other, each from the whole text anew. */
function greedy(of: UserLlm, count: number, events?: typeof alice): number[] {
  const tokens = encodePrompt(textTokenizer, prompt);
  const answer: number[] = [];
  while (answer.length < count) {
    const last = logits(of, [...tokens, ...answer], events).at(-1)!;
    const best = last.indexOf(Math.max(...last));
    if (best === textTokenizer.end) break;
    answer.push(best);
  }
  return answer;
}

function logLikelihood(of: UserLlm, choice: string, events?: typeof alice): number {
  const tokens = encodePrompt(textTokenizer, prompt);
  const answer = encodeAnswer(textTokenizer, choice);
  const rows = logits(of, [...tokens, ...answer], events);
  return answer.reduce((sum, token, at) => {
    const row = rows[tokens.length + at - 1]!;
    const largest = Math.max(...row);
    return sum + row[token]! - largest - Math.log(row.reduce((total, logit) => total + Math.exp(logit - largest), 0));
  }, 0);
}

/** As `logLikelihood`, each token among those by which some title goes on. */
function amongTitles(of: UserLlm, trie: TitleTrie, title: string, events: typeof alice): number {
  const tokens = encodePrompt(textTokenizer, prompt);
  const answer = encodeAnswer(textTokenizer, title);
  const rows = logits(of, [...tokens, ...answer], events);
  let node = 0;
  return answer.reduce((sum, token, at) => {
    const row = rows[tokens.length + at - 1]!;
    const edges = trie.edges(node);
    node = edges.find((edge) => edge.token === token)!.node;
    return sum + row[token]! - Math.log(edges.reduce((total, edge) => total + Math.exp(row[edge.token]!), 0));
  }, 0);
}

/**
 * The loss that training has of an answer.
 *
 * @param likely How likely each token is at each choice, where that is learned in place of the answer's own.
 */
function constrainedLoss(
  { model: composed, parts, weights }: UserLlm,
  answer: AnswerTokens,
  events: typeof alice,
  likely?: Float32Array,
) {
  const { vocabularySize } = composed.llm;
  const given = encodePrompt(textTokenizer, prompt);
  const all = [...given, ...answer.tokens];
  const { choices } = answer;
  const int = (axis: string, values: readonly number[]) =>
    new Tensor('int32', [axis], [values.length], Int32Array.from(values)) as unknown as Tensor;
  const { tree, named } = parameterInputs(composed.parameters);
  const ids = idsOf(parts.eventTokenizer, events, composed.maximumEvents);
  const { batch, inputs } = eventInputs(composed.features, 1, ids.length);
  const tokens = input('tokens', 'int32', ['batch', 'token'], [1, all.length]);
  const rows = input('rows', 'int32', ['row'], [choices.length]);
  const labels = input('labels', 'int32', ['row'], [choices.length]);
  const allowed = input('allowed', 'bool', ['row', 'vocabulary'], [choices.length, vocabularySize]);
  const context = composed.userContext(tree, batch);
  const expected = input('expected', 'float32', ['row', 'vocabulary'], [choices.length, vocabularySize]);
  const loss = composed.loss(tree, { tokens, rows, labels, allowed, context, ...(likely && { expected }) });
  const fed: Record<string, Tensor> = {
    ...historyFeeds(composed.features, [ids]),
    ...(weights as unknown as Record<string, Tensor>),
    tokens: new Tensor('int32', ['batch', 'token'], [1, all.length], Int32Array.from(all)) as unknown as Tensor,
    rows: int(
      'row',
      choices.map(({ at }) => given.length + at - 1),
    ),
    allowed: allowedTokens(choices, vocabularySize) as unknown as Tensor,
    ...(likely
      ? {
          expected: new Tensor(
            'float32',
            ['row', 'vocabulary'],
            [choices.length, vocabularySize],
            likely,
          ) as unknown as Tensor,
        }
      : {
          labels: int(
            'row',
            choices.map(({ at }) => answer.tokens[at]!),
          ),
        }),
  };
  const asked = likely ? [tokens, rows, allowed, expected] : [tokens, rows, labels, allowed];
  const made = graph([...asked, ...inputs, ...Object.values(named)], { loss });
  const read = Object.fromEntries(Object.entries(fed).map(([name, tensor]) => [name, toReference(tensor)]));
  return { loss: evaluate(made, read)['loss']!.data[0] as number, choices: choices.length };
}

async function text(pieces: AsyncIterable<string>): Promise<string> {
  let whole = '';
  for await (const piece of pieces) whole += piece;
  return whole;
}

const told = (tokens: readonly number[]): string => textTokenizer.decode(tokens).trim();

describe('answers', () => {
  it('are those of the whole text read anew for each token, for a user, for nobody, for the LLM alone', async () => {
    const question = { prompt, maximumTokens: 6 };
    const [ofAlice, ofBob, ofNobody, alone] = await model.answers([
      { ...question, user: alice },
      { ...question, user: await model.encode(bob) },
      question,
      { ...question, withoutUser: true },
    ]);
    expect(ofAlice).toBe(told(greedy(model, 6, alice)));
    expect(ofBob).toBe(told(greedy(model, 6, bob)));
    expect(alone).toBe(told(greedy(model, 6)));
    // With cross-attention, a user of whom nothing is known adds nothing.
    expect(ofNobody).toBe(alone);
    expect(new Set([ofAlice, ofBob, alone]).size).toBe(3);
  }, 60_000);

  it.each(['soft-prompt', 'both'])(
    'and so with the fusion %s',
    async (name) => {
      const other = await smallModel({ runtime, config: smallConfig({ fusion: { name, config: {} } }) });
      const [first] = await other.answers([{ prompt, user: alice, maximumTokens: 6 }]);
      expect(first).toBe(told(greedy(other, 6, alice)));
      await other.dispose();
    },
    60_000,
  );

  it('and so with LoRA, merged into the weights, and with compressors of as many latents as events', async () => {
    const config = smallConfig({
      lora: { rank: 2, alpha: 8, dropout: 0, targets: ['*'] },
      compressor: { name: 'identity', config: {} },
    });
    const other = await smallModel({ runtime, config });
    for (const [name, weight] of Object.entries(other.weights)) {
      if (name.includes('lora_B')) Random.fromSeed(1).split(name).normal(weight.data, { standardDeviation: 0.2 });
    }
    const [first] = await other.answers([{ prompt, user: alice, maximumTokens: 6 }]);
    expect(first).toBe(told(greedy(other, 6, alice)));
    await other.dispose();
  }, 60_000);

  it('do not depend on those that are written beside them', async () => {
    const questions = Array.from({ length: 19 }, (_, at) => ({
      prompt: at % 3 === 0 ? prompt : `${prompt} ${'More? '.repeat(at % 4)}`,
      user: history('u', [at % 8, (at * 3) % 8]),
      maximumTokens: 1 + ((5 * at) % 7),
      temperature: 0.9,
      topP: 0.95,
      seed: at,
    }));
    const together = await model.answers(questions);
    for (const [at, question] of questions.entries()) {
      expect((await text(model.generate(question))).trimEnd(), `question ${at}`).toBe(together[at]);
    }
  }, 60_000);

  it('end at a stop, at the number of tokens, when left, and when aborted', async () => {
    const whole = await text(model.generate({ prompt, user: alice, maximumTokens: 8 }));
    const stop = whole.slice(2, 4);
    expect(await text(model.generate({ prompt, user: alice, maximumTokens: 8, stop: [stop] }))).toBe(
      whole.slice(0, whole.indexOf(stop)),
    );
    const pieces: string[] = [];
    for await (const piece of model.generate({ prompt, user: alice })) {
      pieces.push(piece);
      if (pieces.length === 2) break;
    }
    expect(whole.startsWith(pieces.join(''))).toBe(true);
    const controller = new AbortController();
    const answer = model.generate({ prompt, user: alice, signal: controller.signal });
    await answer.next();
    controller.abort();
    await expect(text(answer)).rejects.toMatchObject({ code: 'aborted' });
  }, 60_000);

  it('need room, and a number of tokens', async () => {
    const long = { prompt: 'word '.repeat(80), maximumTokens: 3 };
    await expect(model.answers([long])).rejects.toMatchObject({ code: 'too-many-tokens' });
    await expect(model.answers([{ prompt, maximumTokens: 0 }])).rejects.toMatchObject({ code: 'bad-argument' });
    await expect(model.answers([{ prompt, topP: 2 }])).rejects.toMatchObject({ code: 'bad-argument' });
    expect(await model.answers([{ prompt, maximumTokens: 1000 }])).toHaveLength(1);
  }, 60_000);
});

it('broken weights are told rather than answered with', async () => {
  const broken = await smallModel({ runtime });
  for (const [name, weight] of Object.entries(broken.weights)) if (name.startsWith('encoder.')) weight.data.fill(NaN);
  const notFinite = expect.objectContaining({ code: 'not-finite' }) as Error;
  await expect(broken.answers([{ prompt, user: alice, maximumTokens: 3 }])).rejects.toThrow(notFinite);
  await expect(broken.recommend(alice, 3)).rejects.toThrow(notFinite);
  await expect(broken.recommend(alice, 3, { by: 'llm' })).rejects.toThrow(notFinite);
  await expect(broken.scoreChoices([{ prompt, user: alice }], ['Drama', 'Horror'])).rejects.toThrow(notFinite);
  expect(await broken.answers([{ prompt, withoutUser: true, maximumTokens: 3 }])).toHaveLength(1);
  await broken.dispose();
}, 60_000);

it('while the gates are 0 all users are answered as the LLM alone would, bit for bit', async () => {
  const closed = await smallModel({ runtime }, 0);
  const [ofAlice, alone] = await closed.scoreChoices(
    [
      { prompt, user: alice },
      { prompt, withoutUser: true },
    ],
    ['Drama', 'Horror'],
  );
  expect(ofAlice).toEqual(alone);
  await closed.dispose();
}, 60_000);

it('on TensorFlow.js answers and rankings are the same', async () => {
  const tfjs = await TfjsRuntime.create({ engine: 'wasm', threads: 1 });
  const there = await smallModel({ runtime: tfjs });
  const questions = [
    { prompt, user: alice, maximumTokens: 4 },
    { prompt, withoutUser: true, maximumTokens: 3 },
  ];
  expect(await there.answers(questions)).toEqual(await model.answers(questions));
  const state = await there.append(await there.encode(alice.slice(0, 2)), alice.slice(2));
  const ranked = await there.recommend(state, 4, { by: 'llm', prompt });
  const ours = await model.recommend(alice, 4, { by: 'llm', prompt });
  expect(ranked.map(({ item }) => item)).toEqual(ours.map(({ item }) => item));
  await there.dispose();
  await tfjs.dispose();
}, 120_000);

describe('choices', () => {
  it('are as likely as the whole text says', async () => {
    const choices = ['Comedy', 'Drama', 'Horror'];
    const questions = [
      { prompt, user: alice },
      { prompt, withoutUser: true },
      { prompt, user: bob },
    ];
    const scores = await model.scoreChoices(questions, choices);
    choices.forEach((choice, at) => {
      expect(scores[0]![at]).toBeCloseTo(logLikelihood(model, choice, alice), 3);
      expect(scores[1]![at]).toBeCloseTo(logLikelihood(model, choice), 3);
      expect(scores[2]![at]).toBeCloseTo(logLikelihood(model, choice, bob), 3);
    });
  }, 60_000);

  it('of the catalogue are ranked by their titles', async () => {
    const ranked = await model.recommend(alice, 8, { by: 'llm', prompt, exclude: ['m3'] });
    const expected = catalogue
      .filter(({ item }) => item !== 'm3')
      .map(({ item, title }) => ({ item, title, score: logLikelihood(model, title!, alice) }))
      .sort((a, b) => b.score - a.score);
    expect(ranked.map(({ item }) => item)).toEqual(expected.map(({ item }) => item));
    ranked.forEach(({ score }, at) => expect(score).toBeCloseTo(expected[at]!.score, 3));
    const [mine, theirs] = await model.rankTitles(
      [
        { prompt, user: alice },
        { prompt, user: bob },
      ],
      {
        count: 3,
        exclude: [new Set(['m3']), undefined],
      },
    );
    expect(mine).toEqual(
      ranked.slice(0, 3).map((each) => ({ ...each, score: expect.closeTo(each.score, 4) as number })),
    );
    expect(theirs).toHaveLength(3);
  }, 60_000);

  it('of a constrained catalogue share out each probability among titles, and training has the same', async () => {
    const constrained = await smallModel({ runtime, config: smallConfig({ titles: 'constrained' }) });
    const ranked = await constrained.recommend(alice, 8, { by: 'llm', prompt, beamWidth: 100 });
    const trie = titleTrie(textTokenizer, catalogue);
    const expected = catalogue
      .map(({ item, title }) => ({ item, title, score: amongTitles(constrained, trie, title!, alice) }))
      .sort((a, b) => b.score - a.score);
    expect(ranked.map(({ item }) => item)).toEqual(expected.map(({ item }) => item));
    ranked.forEach(({ score }, at) => expect(score).toBeCloseTo(expected[at]!.score, 3));
    expect(ranked.reduce((sum, { score }) => sum + Math.exp(score), 0)).toBeCloseTo(1, 4);
    for (const { title, score } of expected) {
      const { loss, choices } = constrainedLoss(constrained, answerTokens(textTokenizer, title!, trie), alice);
      expect(-loss * choices).toBeCloseTo(score, 3);
    }
    await constrained.dispose();
  }, 60_000);
});

describe('answers as choices', () => {
  const trie = titleTrie(textTokenizer, catalogue);

  it('end with the last choice, and are all of the text where it is no title', () => {
    for (const { title } of catalogue) {
      const whole = encodeAnswer(textTokenizer, title!);
      const { tokens, choices } = answerTokens(textTokenizer, title!, trie);
      expect(tokens).toEqual(whole.slice(0, tokens.length));
      expect(choices.at(-1)!.at).toBe(tokens.length - 1);
      expect(choices.every(({ among }) => among!.length > 1)).toBe(true);
      // What follows belongs to no other title.
      const beginning = tokens.join();
      const alike = catalogue.filter(
        (other) => encodeAnswer(textTokenizer, other.title!).slice(0, tokens.length).join() === beginning,
      );
      expect(alike.map((other) => other.title)).toEqual([title]);
    }
    for (const text of ['Comedy', 'Alien 3', '']) {
      const tokens = encodeAnswer(textTokenizer, text);
      expect(answerTokens(textTokenizer, text, trie)).toEqual({ tokens, choices: tokens.map((_, at) => ({ at })) });
    }
    expect(answerTokens(textTokenizer, 'Dune').tokens).toEqual(encodeAnswer(textTokenizer, 'Dune'));
  });

  it('are learned by how likely each token is as by the one that came, where that is certain', async () => {
    const constrained = await smallModel({ runtime, config: smallConfig({ titles: 'constrained' }) });
    const { vocabularySize } = constrained.model.llm;
    const answer = catalogue
      .map(({ title }) => answerTokens(textTokenizer, title!, trie))
      .sort((a, b) => b.choices.length - a.choices.length)[0]!;
    const { choices, tokens } = answer;
    expect(choices.length).toBeGreaterThan(1);
    const lossOf = (likely?: Float32Array) => constrainedLoss(constrained, answer, alice, likely).loss;
    /** All on one token of each of some rows. */
    const certain = (token: (row: number) => number, counts: (row: number) => boolean = () => true): Float32Array => {
      const likely = new Float32Array(choices.length * vocabularySize);
      choices.forEach((_, row) => (likely[row * vocabularySize + token(row)] = Number(counts(row))));
      return likely;
    };
    const own = (row: number) => tokens[choices[row]!.at]!;
    const other = (row: number) => choices[row]!.among!.find(({ token }) => token !== own(row))!.token;
    expect(lossOf(certain(own))).toBeCloseTo(lossOf(), 10);
    const half = certain(own).map((share, at) => (share + certain(other)[at]!) / 2);
    expect(lossOf(half)).toBeCloseTo((lossOf(certain(own)) + lossOf(certain(other))) / 2, 10);
    const single = choices.map((_, at) => lossOf(certain(own, (row) => row === at)));
    const mean = single.reduce((sum, each) => sum + each, 0) / choices.length;
    expect(lossOf()).toBeCloseTo(mean, 10);
    expect(lossOf(new Float32Array(choices.length * vocabularySize))).toBeCloseTo(0, 12);
    await constrained.dispose();
  }, 60_000);

  it('keep one token where there is but one title', () => {
    const only = titleTrie(textTokenizer, [{ item: 'm', title: 'Dune' }]);
    const { tokens, choices } = answerTokens(textTokenizer, 'Dune', only);
    expect([tokens.length, choices]).toEqual([1, []]);
  });

  it('are masks of the vocabulary in a graph', () => {
    const mask = allowedTokens([{ among: [{ token: 1 }, { token: 3 }] }, {}, { among: [] }], 4);
    expect(mask.shape).toEqual([3, 4]);
    expect([...mask.data]).toEqual([0, 1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
  });
});
