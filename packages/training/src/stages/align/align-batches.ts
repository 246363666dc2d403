import type { JsonValue, TextTokenizer } from '@user-llm/plugin';
import { Random, Tensor, UserLlmError } from '@user-llm/tensor';
import { itemTitle } from '@user-llm/tasks';
import { reservedIds } from '@user-llm/tokenization';
import { answerTokens, encodePrompt, type TitleTrie } from '@user-llm/user-llm';
import type { TokenizedData } from '../../data/training-data.js';
import type { TrainingBatch } from '../../loop/training-task.js';
import { answerFeeds } from '../tune/answer-feeds.js';
import { firstChoice, inShare } from '../tune/first-choice.js';
import type { TokenExample } from '../tune/token-example.js';
import type { AlignConfig } from './align-config.js';

/** An item with a title, that the encoder knows. */
export interface NamedItem {
  readonly item: string;
  /** Its id in the encoder's vocabulary. */
  readonly id: number;
  /** Its title as an answer to an empty question. */
  readonly example: TokenExample;
}

/**
 * The items that can be asked for.
 *
 * @param titles Of the catalogue, where answers are constrained to them.
 * @throws UserLlmError `no-questions` when none has both a title and an id.
 */
export function namedItems(
  { catalogue, tokenizer }: Pick<TokenizedData, 'catalogue' | 'tokenizer'>,
  feature: string,
  text: TextTokenizer,
  maximumTokens: number,
  titles?: TitleTrie,
): NamedItem[] {
  const { fitted } = tokenizer.feature(feature);
  const id = new Int32Array(1);
  const prompt = encodePrompt(text, '');
  const named = [...catalogue.values()].flatMap((each): NamedItem[] => {
    const { item, title } = each;
    fitted.encode(item, id, 0);
    if (id[0]! <= reservedIds.mask || (title ?? '').trim() === '') return [];
    const { tokens, choices } = answerTokens(text, itemTitle(each), titles);
    const answer = tokens.slice(0, Math.max(1, maximumTokens + 1 - prompt.length));
    const example = {
      tokens: [...prompt, ...answer.slice(0, -1)],
      from: prompt.length - 1,
      answer,
      choices: choices.filter(({ at }) => at < answer.length),
    };
    return [{ item, id: id[0]!, example }];
  });
  if (named.length > 0) return named;
  throw new UserLlmError('no-questions', {
    what: 'alignment',
    expected: 'items of the catalogue with a title and events',
    got: 'none',
    mend: 'Leave the stage out, or give the items titles.',
  });
}

/** Sizes of a batch. */
export interface AlignSizes extends Pick<AlignConfig, 'batchSize' | 'events' | 'firstChoiceShare' | 'maximumTokens'> {
  /** Tokens of the LLM, where titles are constrained. */
  readonly vocabularySize?: number | undefined;
  /** How often each item is asked for, relative to the others; all equally often when absent. */
  readonly weights?: readonly number[] | undefined;
}

/** Batches that are drawn together at most, and sorted by length, so that little is padding. */
const largestPool = 16;

/** Lengths that rows are padded to, but for the longest; constrained titles are mostly short. */
const lengthsOf = (constrained: boolean) => (constrained ? [4, 8, 16, 32] : [32]);

/**
 * Items drawn by their weights, as many as there are: each as often as its share of them, rounded up or down.
 *
 * @param offset What decides how it is rounded, from 0 to 1 (systematic sampling).
 */
function inProportion(weights: readonly number[], offset: number): number[] {
  const count = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const drawn: number[] = [];
  let sum = 0;
  weights.forEach((weight, item) => {
    sum += weight;
    while (drawn.length < count && (drawn.length + offset) * total < sum * count) drawn.push(item);
  });
  return drawn;
}

/**
 * Batches without end: each epoch asks for every item once, or as often as its weight says, in random order, after other
 * items drawn at random. Constrained titles share a batch with those of some batches, an epoch's at most, that are about
 * as long; of some batches, evenly spread, only first choices are asked.
 */
export async function* alignBatches(
  items: readonly NamedItem[],
  { batchSize, events, firstChoiceShare = 0, maximumTokens, vocabularySize, weights }: AlignSizes,
  seed: number,
  from: JsonValue | undefined,
): AsyncGenerator<TrainingBatch> {
  const random = Random.fromSeed(seed).split('alignment');
  const orders = new Map<number, Int32Array | Uint32Array>();
  const orderOf = (epoch: number): Int32Array | Uint32Array => {
    const order = random.split('order').at(epoch).permutation(items.length);
    if (!weights) return order;
    const drawn = inProportion(weights, random.split('share').at(epoch).stream().uniform());
    return order.map((at) => drawn[at]!);
  };
  const itemAt = (number: number): NamedItem => {
    const epoch = Math.floor(number / items.length);
    const order = orders.get(epoch) ?? orderOf(epoch);
    orders.set(epoch, order);
    orders.delete(epoch - 2);
    return items[order[number % items.length]!]!;
  };
  const constrained = vocabularySize !== undefined;
  const shorter = lengthsOf(constrained).filter((length) => length < maximumTokens);
  const tokenBuckets = [...shorter, maximumTokens];
  const size = constrained ? Math.min(largestPool, Math.max(1, Math.floor(items.length / batchSize))) : 1;
  let pool: { readonly number: number; readonly batches: readonly (readonly NamedItem[])[] } | undefined;
  for (let batch = typeof from === 'number' ? from : 0; ; batch++) {
    const number = Math.floor(batch / size);
    if (pool?.number !== number) {
      const drawn = Array.from({ length: size * batchSize }, (_, at) => itemAt(number * size * batchSize + at));
      if (constrained) drawn.sort((a, b) => a.example.tokens.length - b.example.tokens.length);
      const order = random.split('pools').at(number).permutation(size);
      pool = { number, batches: Array.from(order, (at) => drawn.slice(at * batchSize, (at + 1) * batchSize)) };
    }
    const asked = pool.batches[batch % size]!;
    const draws = random.split('others').at(batch).stream();
    const ids = new Int32Array(batchSize * events);
    asked.forEach(({ id }, row) => {
      for (let at = 0; at < events - 1; at++) ids[row * events + at] = items[draws.below(items.length)]!.id;
      ids[(row + 1) * events - 1] = id;
    });
    const examples = asked.map(({ example }) => example);
    // First choices are all at the same place.
    const answers = inShare(batch, firstChoiceShare)
      ? answerFeeds(examples.map(firstChoice), { batchSize, tokenBuckets: [], vocabularySize })
      : answerFeeds(examples, { batchSize, tokenBuckets, vocabularySize });
    yield {
      feeds: { ...answers, items: new Tensor('int32', ['batch', 'event'], [batchSize, events], ids) },
      examples: batchSize,
      contents: asked.map(({ item }) => item),
      cursor: batch + 1,
    };
    await Promise.resolve();
  }
}
