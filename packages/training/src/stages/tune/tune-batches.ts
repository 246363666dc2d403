import { Random, type Tensor } from '@user-llm/tensor';
import type { JsonValue, TextTokenizer } from '@user-llm/plugin';
import { batchOf, type Windows } from '@user-llm/tokenization';
import { eventFeeds, type TitleTrie } from '@user-llm/user-llm';
import type { PlacedExample, TaskExamples } from '../../data/task-examples.js';
import type { TokenizedData } from '../../data/training-data.js';
import type { TrainingBatch } from '../../loop/training-task.js';
import { answerFeeds, type AnswerShape } from './answer-feeds.js';
import type { TitleExpectation } from './encoder-expectation.js';
import { firstChoice, inShare } from './first-choice.js';
import { tokenExample, type ExampleForm, type TokenExample } from './token-example.js';

/** How examples become batches. */
export interface TuneBatching extends AnswerShape {
  readonly data: TokenizedData;
  readonly text: TextTokenizer;
  readonly form: ExampleForm;
  /** Events of a row. */
  readonly maximumEvents: number;
  readonly maximumTokens: number;
  /** Titles that items are chosen among where they are constrained, and the tasks whose answers are items. */
  readonly titles?: { readonly trie: TitleTrie; readonly tasks: ReadonlySet<string> } | undefined;
  /** What the encoder expects, where that is learned in place of the item that came. */
  readonly expectation?: TitleExpectation | undefined;
  /** Share of the batches in which of each title the first choice alone is asked. */
  readonly firstChoiceShare?: number | undefined;
}

/** An example with its tokens. */
export interface ReadyExample extends PlacedExample {
  readonly encoded: TokenExample;
}

/** Turns examples into tokens. */
export function readyExample(placed: PlacedExample, batching: TuneBatching): ReadyExample {
  const { form, text, data, maximumTokens, titles } = batching;
  const { example } = placed;
  const trie = titles?.tasks.has(example.task) ? titles.trie : undefined;
  return { ...placed, encoded: tokenExample(example, form, text, data.catalogue, maximumTokens, trie) };
}

/**
 * The feeds of a batch: tokens, what is predicted, and the events before each place where the form has a context.
 *
 * @param readers Whose events each example is read with; its own user's when absent, nobody's where `undefined`.
 */
export function tuneFeeds(
  examples: readonly ReadyExample[],
  batching: TuneBatching,
  readers: readonly (PlacedExample | undefined)[] = examples,
): Record<string, Tensor> {
  const feeds = answerFeeds(
    examples.map(({ encoded }) => encoded),
    batching,
  );
  if (batching.form.kind === 'text') return { ...feeds };
  const { data, batchSize, maximumEvents, expectation, vocabularySize } = batching;
  const place = (row: number) => readers[row] ?? { user: 0, position: 0 };
  const rows = Array.from({ length: batchSize }, (_, row) => place(row));
  const windows: Windows = {
    count: batchSize,
    users: Int32Array.from(rows, ({ user }) => user),
    starts: Int32Array.from(rows, ({ position }) => Math.max(0, position - maximumEvents)),
    ends: Int32Array.from(rows, ({ position }) => position),
  };
  const expected = expectation?.feeds(
    examples.map(({ encoded }) => encoded),
    feeds.rows.shape[0]!,
    vocabularySize!,
  );
  return {
    ...feeds,
    ...expected,
    ...eventFeeds(batchOf(data.tokenizer, data.timelines, windows, { events: maximumEvents })),
  };
}

interface Cursor {
  readonly pool: number;
  readonly batch: number;
}

/**
 * Batches of drawn examples without end: a pool of several batches is drawn, sorted by length, cut into batches, and
 * these are put in random order. Of some of them, evenly spread, only first choices are asked.
 */
export async function* tuneBatches(
  source: TaskExamples,
  batching: TuneBatching,
  pool: number,
  seed: number,
  from: JsonValue | undefined,
): AsyncGenerator<TrainingBatch> {
  const { batchSize, firstChoiceShare = 0 } = batching;
  const random = Random.fromSeed(seed).split('order of batches');
  const start: Cursor = from === undefined ? { pool: 0, batch: 0 } : (from as unknown as Cursor);
  for (let number = start.pool; ; number++) {
    const size = pool * batchSize;
    const drawn = Array.from({ length: size }, (_, at) => readyExample(source.at(number * size + at), batching));
    const sorted = drawn
      .map((example, at) => ({ example, at, length: example.encoded.tokens.length }))
      .sort((a, b) => a.length - b.length || a.at - b.at)
      .map(({ example }) => example);
    const order = random.at(number).permutation(pool);
    for (let batch = number === start.pool ? start.batch : 0; batch < pool; batch++) {
      const first = order[batch]! * batchSize;
      const examples = sorted.slice(first, first + batchSize);
      const asked = inShare(number * pool + batch, firstChoiceShare)
        ? examples.map((example) => ({ ...example, encoded: firstChoice(example.encoded) }))
        : examples;
      yield {
        feeds: tuneFeeds(asked, batching),
        examples: batchSize,
        contents: examples.map(({ example, position }) => ({
          user: example.user,
          position,
          template: example.template,
          target: example.target,
        })),
        cursor: { pool: number, batch: batch + 1 },
      };
      // The caller's step goes on meanwhile.
      await Promise.resolve();
    }
  }
}
