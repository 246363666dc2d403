import type { JsonValue, TextTokenizer } from '@user-llm/plugin';
import { Random, Tensor, UserLlmError } from '@user-llm/tensor';
import { reservedIds } from '@user-llm/tokenization';
import { encodeAnswer, encodePrompt } from '@user-llm/user-llm';
import type { TokenizedData } from '../../data/training-data.js';
import type { TrainingBatch } from '../../loop/training-task.js';
import { answerFeeds } from '../tune/answer-feeds.js';
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
 * @throws UserLlmError `no-questions` when none has both a title and an id.
 */
export function namedItems(
  { catalogue, tokenizer }: Pick<TokenizedData, 'catalogue' | 'tokenizer'>,
  feature: string,
  text: TextTokenizer,
  maximumTokens: number,
): NamedItem[] {
  const { fitted } = tokenizer.feature(feature);
  const id = new Int32Array(1);
  const prompt = encodePrompt(text, '');
  const named = [...catalogue.values()].flatMap(({ item, title }): NamedItem[] => {
    fitted.encode(item, id, 0);
    if (id[0]! <= reservedIds.mask || title === undefined || title === null || title === '') return [];
    const answer = encodeAnswer(text, title).slice(0, Math.max(1, maximumTokens + 1 - prompt.length));
    const example = { tokens: [...prompt, ...answer.slice(0, -1)], from: prompt.length - 1, answer };
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

/** Batches without end: each epoch asks for every item once, in random order, after other items drawn at random. */
export async function* alignBatches(
  items: readonly NamedItem[],
  { batchSize, events, maximumTokens }: Pick<AlignConfig, 'batchSize' | 'events' | 'maximumTokens'>,
  seed: number,
  from: JsonValue | undefined,
): AsyncGenerator<TrainingBatch> {
  const random = Random.fromSeed(seed).split('alignment');
  const orders = new Map<number, Int32Array | Uint32Array>();
  const itemAt = (number: number): NamedItem => {
    const epoch = Math.floor(number / items.length);
    const order = orders.get(epoch) ?? random.split('order').at(epoch).permutation(items.length);
    if (!orders.has(epoch)) orders.clear();
    orders.set(epoch, order);
    return items[order[number % items.length]!]!;
  };
  for (let batch = typeof from === 'number' ? from : 0; ; batch++) {
    const asked = Array.from({ length: batchSize }, (_, row) => itemAt(batch * batchSize + row));
    const draws = random.split('others').at(batch).stream();
    const ids = new Int32Array(batchSize * events);
    asked.forEach(({ id }, row) => {
      for (let at = 0; at < events - 1; at++) ids[row * events + at] = items[draws.below(items.length)]!.id;
      ids[(row + 1) * events - 1] = id;
    });
    const answers = answerFeeds(
      asked.map(({ example }) => example),
      { batchSize, tokenBuckets: [Math.min(32, maximumTokens), maximumTokens] },
    );
    yield {
      feeds: { ...answers, items: new Tensor('int32', ['batch', 'event'], [batchSize, events], ids) },
      examples: batchSize,
      contents: asked.map(({ item }) => item),
      cursor: batch + 1,
    };
    await Promise.resolve();
  }
}
