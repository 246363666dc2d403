import {
  concat,
  constant,
  divide,
  gather,
  greater,
  greaterEqual,
  input,
  joinAxes,
  scatterAdd,
  softmax,
  splitAxis,
  stopGradient,
  sum,
  where,
  type Float,
  type Symbolic,
} from '@user-llm/graph';
import { itemTitle } from '@user-llm/tasks';
import { Tensor } from '@user-llm/tensor';
import { reservedIds } from '@user-llm/tokenization';
import { encodeAnswer, type TitleTrie } from '@user-llm/user-llm';
import type { TextTokenizer } from '@user-llm/plugin';
import type { TokenizedData } from '../../data/training-data.js';
import type { TokenExample } from './token-example.js';

// B batch, R rows that predict, I ids of items, J ids of items and the label itself, V vocabulary.

/** Names of the feeds that `expectedTokens` reads. */
export const expectationNames = { places: 'expected.places', users: 'expected.users' } as const;

/** A place that no probability goes to. */
const nowhere = -1;

/** Items whose titles go on from a node, and by which token. */
interface WaysOn {
  readonly ids: number[];
  readonly tokens: number[];
}

/**
 * Where in the titles of a catalogue an encoder's items are: turns its distribution over items into one over the tokens
 * that a title goes on by.
 */
export class TitleExpectation {
  readonly #titles: TitleTrie;
  readonly #ids: number;
  readonly #waysOn = new Map<number, WaysOn>();

  /** @param item Name of the feature whose ids the encoder predicts. */
  constructor(
    titles: TitleTrie,
    text: TextTokenizer,
    { catalogue, tokenizer }: Pick<TokenizedData, 'catalogue' | 'tokenizer'>,
    item: string,
  ) {
    this.#titles = titles;
    const { fitted } = tokenizer.feature(item);
    this.#ids = fitted.size;
    const id = new Int32Array(1);
    for (const each of catalogue.values()) {
      fitted.encode(each.item, id, 0);
      if (id[0]! <= reservedIds.mask) continue;
      for (const [node, token] of this.#steps(encodeAnswer(text, itemTitle(each)))) {
        const ways = this.#waysOn.get(node) ?? { ids: [], tokens: [] };
        this.#waysOn.set(node, ways);
        ways.ids.push(id[0]!);
        ways.tokens.push(token);
      }
    }
  }

  /**
   * For each row that predicts, where in `[R, V]` the probability of each id goes, and that of the label itself where the
   * answer is free: `[R, J]`, -1 for nowhere; and whose distribution it is, `[R]`.
   *
   * @param rows How many rows there are; the last ones may only fill up.
   */
  feeds(examples: readonly TokenExample[], rows: number, vocabularySize: number): Record<string, Tensor> {
    const width = this.#ids + 1;
    const places = new Int32Array(rows * width).fill(nowhere);
    const users = new Int32Array(rows);
    let row = 0;
    examples.forEach(({ answer, choices }, user) => {
      const steps = choices.some(({ among }) => among) ? this.#steps(answer) : [];
      for (const { at, among } of choices) {
        const start = row * width;
        const begin = row * vocabularySize;
        const ways = among && this.#waysOn.get(steps[at]![0]);
        if (ways) ways.ids.forEach((id, way) => (places[start + id] = begin + ways.tokens[way]!));
        else places[start + this.#ids] = begin + answer[at]!;
        users[row++] = user;
      }
    });
    return {
      [expectationNames.places]: new Tensor('int32', ['row', 'item'], [rows, width], places),
      [expectationNames.users]: new Tensor('int32', ['row'], [rows], users),
    };
  }

  /** The nodes that the tokens of a title leave, one after the other, and each token. */
  #steps(tokens: readonly number[]): (readonly [node: number, token: number])[] {
    let node = 0;
    return tokens.map((token) => {
      const step = [node, token] as const;
      node = this.#titles.edges(node).find((edge) => edge.token === token)!.node;
      return step;
    });
  }
}

/** The inputs of a graph that the feeds of `TitleExpectation` are fed to. */
export interface ExpectationInputs {
  readonly places: Symbolic<'int32', readonly ['row', 'item']>;
  readonly users: Symbolic<'int32', readonly ['row']>;
}

/** Inputs of a graph for feeds of these shapes; none where nothing is expected. */
export function expectationInputs(shapes: Readonly<Record<string, readonly number[]>>): ExpectationInputs | undefined {
  const shape = shapes[expectationNames.places] as readonly [number, number] | undefined;
  if (!shape) return undefined;
  return {
    places: input(expectationNames.places, 'int32', ['row', 'item'], shape),
    users: input(expectationNames.users, 'int32', ['row'], [shape[0]]),
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
  { places, users }: ExpectationInputs,
  vocabularySize: number,
): Float<readonly ['row', 'vocabulary']> {
  const rows = places.shape[0] as number;
  const certain = constant(new Tensor('float32', ['row', 'item'] as const, [rows, 1], new Float32Array(rows).fill(1)));
  const chances_RI = gather(stopGradient(softmax(scores_BI, 'item')), users);
  const somewhere = greaterEqual(places, 0);
  const chances_RJ = where(somewhere, concat([chances_RI, certain], 'item'), 0);
  const possible_R = sum(chances_RJ, 'item');
  const shares_RJ = divide(chances_RJ, where(greater(possible_R, 0), possible_R, 1));
  const flat = joinAxes(where(somewhere, places, 0), ['row', 'item'], 'place', ['place']);
  const added = scatterAdd(
    flat,
    joinAxes(shares_RJ, ['row', 'item'], 'place', ['place']),
    'place',
    rows * vocabularySize,
  );
  return splitAxis(added, 'place', { row: rows, vocabulary: vocabularySize }, ['row', 'vocabulary']);
}
