import {
  concat,
  constant,
  gather,
  greaterEqual,
  input,
  joinAxes,
  scatterAdd,
  softmax,
  splitAxis,
  stopGradient,
  where,
  type Float,
  type Symbolic,
} from '@user-llm/graph';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import { reservedIds } from '@user-llm/tokenization';
import type { TitleTrie } from '@user-llm/user-llm';
import type { TokenizedData } from '../../data/training-data.js';
import type { TokenExample } from './token-example.js';

// B batch, R rows that predict, I ids of items, J ids of items and the label itself, V vocabulary.

/** Names of the feeds that `expectedTokens` reads. */
const feedNames = { targets: 'expected.targets', users: 'expected.users' } as const;

/** A target that no probability goes to. */
const nowhere = -1;

/** The score of what cannot come: its probability is 0 in any precision. */
const impossible = -1e9;

/** An id of the encoder, and the token by which its item's title goes on from a node. */
interface WayOn {
  readonly id: number;
  readonly token: number;
}

/**
 * Which of an encoder's items are where in the titles of a catalogue: what turns its distribution over items into one
 * over the tokens that a title goes on by. An item that the encoder has no id for is not expected; where only such items
 * go on, the label is.
 */
export class TitleExpectation {
  readonly #idCount: number;
  /** By node; where there is nothing to choose there is none. */
  readonly #waysOn = new Map<number, WayOn[]>();

  /**
   * @param item Name of the feature whose ids the encoder predicts.
   * @throws UserLlmError `bad-config` when the encoder knows none of the items, or does not tell two of them apart.
   */
  constructor(titles: TitleTrie, { tokenizer }: Pick<TokenizedData, 'tokenizer'>, item: string) {
    const { fitted } = tokenizer.feature(item);
    this.#idCount = fitted.size;
    const encoded = new Int32Array(1);
    const known = new Map<number, string>();
    titles.items.forEach((name, at) => {
      fitted.encode(name, encoded, 0);
      const id = encoded[0]!;
      if (id <= reservedIds.mask) return;
      if (known.has(id)) throw sharedId(known.get(id)!, name);
      known.set(id, name);
      for (let node = titles.leaf(at); node > 0; node = titles.parent(node)) {
        const before = titles.parent(node);
        if (titles.edges(before).length === 1) continue;
        const ways = this.#waysOn.get(before) ?? [];
        this.#waysOn.set(before, ways);
        ways.push({ id, token: titles.token(node) });
      }
    });
    if (known.size === 0) throw noKnownItem();
  }

  /**
   * For each row that predicts, where in `[R, V]` the probability of each id goes, and that of the label itself where
   * nothing else is expected: `[R, J]`, -1 for nowhere; and whose distribution it is, `[R]`.
   *
   * @param rows How many rows there are; the last ones may only fill up.
   */
  feeds(examples: readonly TokenExample[], rows: number, vocabularySize: number): Record<string, Tensor> {
    const width = this.#idCount + 1;
    const targets = new Int32Array(rows * width).fill(nowhere);
    const users = new Int32Array(rows);
    let row = 0;
    examples.forEach(({ answer, choices }, user) => {
      for (const { at, node } of choices) {
        const firstTarget = row * width;
        const firstToken = row * vocabularySize;
        const ways = node === undefined ? undefined : this.#waysOn.get(node);
        if (ways) for (const { id, token } of ways) targets[firstTarget + id] = firstToken + token;
        else targets[firstTarget + this.#idCount] = firstToken + answer[at]!;
        users[row++] = user;
      }
    });
    return {
      [feedNames.targets]: new Tensor('int32', ['row', 'item'], [rows, width], targets),
      [feedNames.users]: new Tensor('int32', ['row'], [rows], users),
    };
  }
}

/** The inputs of a graph that the feeds of `TitleExpectation` are fed to. */
export interface ExpectationInputs {
  readonly targets: Symbolic<'int32', readonly ['row', 'item']>;
  readonly users: Symbolic<'int32', readonly ['row']>;
}

/** Inputs of a graph for feeds of these shapes; none where nothing is expected. */
export function expectationInputs(shapes: Readonly<Record<string, readonly number[]>>): ExpectationInputs | undefined {
  const shape = shapes[feedNames.targets] as readonly [number, number] | undefined;
  if (!shape) return undefined;
  return {
    targets: input(feedNames.targets, 'int32', ['row', 'item'], shape),
    users: input(feedNames.users, 'int32', ['row'], [shape[0]]),
  };
}

/**
 * What an encoder expects at each row that predicts, `[R, V]`: of the items whose titles may still come the probability of
 * each, given that it is one of them, at the token that its title goes on by. Nothing is learned through it.
 *
 * @param scores_BI The encoder's scores of all ids for each user of the batch.
 */
export function expectedTokens(
  scores_BI: Float<readonly ['batch', 'item']>,
  { targets, users }: ExpectationInputs,
  vocabularySize: number,
): Float<readonly ['row', 'vocabulary']> {
  const rows = targets.shape[0] as number;
  // Of the label itself, which is where nothing else is.
  const label = constant(new Tensor('float32', ['row', 'item'] as const, [rows, 1], new Float32Array(rows)));
  const scores_RJ = concat([gather(stopGradient(scores_BI), users), label], 'item');
  const somewhere = greaterEqual(targets, 0);
  const chances_RJ = where(somewhere, softmax(where(somewhere, scores_RJ, impossible), 'item'), 0);
  const added = scatterAdd(
    joinAxes(where(somewhere, targets, 0), ['row', 'item'], 'target', ['target']),
    joinAxes(chances_RJ, ['row', 'item'], 'target', ['target']),
    'target',
    rows * vocabularySize,
  );
  return splitAxis(added, 'target', { row: rows, vocabulary: vocabularySize }, ['row', 'vocabulary']);
}

function sharedId(one: string, other: string): UserLlmError {
  return new UserLlmError('bad-config', {
    what: 'teacher',
    expected: 'an encoder that tells all items apart',
    got: `one id for ${JSON.stringify(one)} and ${JSON.stringify(other)}`,
    mend: 'Leave the teacher out, or give the item feature no hashBuckets.',
  });
}

function noKnownItem(): UserLlmError {
  return new UserLlmError('bad-config', {
    what: 'teacher',
    expected: 'an encoder with ids for items of the catalogue',
    got: 'none of them',
    mend: 'Leave the teacher out, or give the data set the catalogue of its events.',
  });
}
