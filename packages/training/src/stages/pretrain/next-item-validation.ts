import { flattenParameters, graph, parameterInputs, type Feeds, type Program, type Runtime } from '@user-llm/graph';
import type { UserEncoderModule } from '@user-llm/plugin';
import { hitRateAt, ndcgAt, rankOf } from '@user-llm/tasks';
import { Random, UserLlmError } from '@user-llm/tensor';
import { batchOf, planWindows, reservedIds, type Part, type Windows } from '@user-llm/tokenization';
import { encodedFeatures, eventFeeds, eventInputs } from '@user-llm/user-llm';
import type { TokenizedData } from '../../data/training-data.js';

/** Windows scored at a time. */
const rowsAtOnce = 128;
const cutoffs = [1, 5, 10] as const;

/** Names of the figures. */
export const nextItemFigures: readonly string[] = cutoffs.flatMap((k) => [`hr@${k}`, `ndcg@${k}`]);

/** What next-item figures need. */
export interface NextItemInputs {
  readonly encoder: UserEncoderModule;
  readonly data: TokenizedData;
  /** The feature that is ranked. */
  readonly item: string;
  readonly part: Part;
  /** Windows drawn by the seed; all when null. */
  readonly users: number | null;
  readonly seed: number;
  readonly runtime: Runtime;
}

/**
 * How well an encoder alone tells the next item: hit rate and NDCG over the full catalogue, seen items left out, ties
 * against the model. The history before an event of the test part includes that of the validation part.
 */
export class NextItemValidation {
  readonly #inputs: NextItemInputs;
  readonly #windows: Windows;
  readonly #events: number;
  #program: Promise<Program> | undefined;

  constructor(inputs: NextItemInputs) {
    this.#inputs = inputs;
    const { data, encoder, part, users, seed } = inputs;
    this.#events = encoder.maximumEvents;
    const window = { kind: 'sliding', length: this.#events, stride: 1, partial: true } as const;
    const all = planWindows(data.timelines, data.split, part, window);
    const chosen = Random.fromSeed(seed)
      .split('validation')
      .permutation(all.count)
      .slice(0, users ?? all.count)
      .sort();
    this.#windows = takeWindows(all, chosen);
  }

  /**
   * @param weights All parameters of the encoder, as `encoder.…`.
   * @returns `hr@1`, `hr@5`, `hr@10`, `ndcg@5`, `ndcg@10`.
   * @throws UserLlmError `aborted` by the signal, `no-questions` when the part is empty.
   */
  async figures(weights: Feeds, signal?: AbortSignal): Promise<Record<string, number>> {
    if (this.#windows.count === 0) throw noQuestions(this.#inputs.part);
    const program = await (this.#program ??= this.#compile());
    const { encoder } = this.#inputs;
    const parameters = Object.fromEntries(
      [...flattenParameters({ encoder: encoder.parameters }).keys()].map((name) => [name, weights[name]!]),
    );
    const ranks: { ranks: number[] }[] = [];
    for (let from = 0; from < this.#windows.count; from += rowsAtOnce) {
      signal?.throwIfAborted();
      ranks.push(...(await this.#ranks(program, parameters, from)));
    }
    const figures = cutoffs.flatMap((k) => [
      [`hr@${k}`, hitRateAt(k).score(ranks).value] as const,
      [`ndcg@${k}`, ndcgAt(k).score(ranks).value] as const,
    ]);
    return Object.fromEntries(figures);
  }

  async dispose(): Promise<void> {
    await (await this.#program)?.dispose();
  }

  async #ranks(program: Program, parameters: Feeds, from: number): Promise<{ ranks: number[] }[]> {
    const { data, item } = this.#inputs;
    const count = Math.min(rowsAtOnce, this.#windows.count - from);
    // The last batch is filled up with windows that do not count.
    const places = Int32Array.from({ length: rowsAtOnce }, (_, row) => from + Math.min(row, count - 1));
    const windows = takeWindows(this.#windows, places);
    const batch = batchOf(data.tokenizer, data.timelines, windows, { events: this.#events });
    const { scores } = await program.run({ ...parameters, ...eventFeeds(batch) });
    const table = (await scores!.read()).data as Float32Array;
    scores!.dispose();
    const width = table.length / rowsAtOnce;
    return Array.from({ length: count }, (_, row) => {
      const user = windows.users[row]!;
      const ids = data.timelines.timeline(user).columns[item]!;
      const position = windows.ends[row]!;
      const excluded = [...Object.values(reservedIds), ...ids.subarray(0, position)];
      const target = ids[position]!;
      // An item that training has never seen cannot be told, and counts as missed.
      if (target === reservedIds.unknown) return { ranks: [Number.MAX_SAFE_INTEGER] };
      return { ranks: [rankOf(table.subarray(row * width, (row + 1) * width), target, { excluded })] };
    });
  }

  #compile(): Promise<Program> {
    const { encoder, data, runtime } = this.#inputs;
    const { tree, named } = parameterInputs({ encoder: encoder.parameters });
    const { batch, inputs } = eventInputs(encodedFeatures(data.tokenizer), rowsAtOnce, this.#events);
    const scores = encoder.nextItem(tree.encoder as never, batch);
    return runtime.compile(graph([...inputs, ...Object.values(named)], { scores }));
  }
}

function takeWindows({ users, starts, ends }: Windows, places: Int32Array): Windows {
  const take = (column: Int32Array): Int32Array => places.map((place) => column[place]!);
  return { count: places.length, users: take(users), starts: take(starts), ends: take(ends) };
}

function noQuestions(part: Part): UserLlmError {
  return new UserLlmError('no-questions', {
    what: `next items of the ${part} part`,
    expected: 'a user at least with an event to predict there',
    got: 'none',
    mend: 'Leave the validation out, or part the data in another way.',
  });
}
