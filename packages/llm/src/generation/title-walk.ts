import { UserLlmError } from '@user-llm/tensor';
import { requireFit, type RankingInputs } from '../ranking/ranking-options.js';
import type { TitleTrie } from '../ranking/title-trie.js';

/**
 * @throws UserLlmError `bad-argument`, `too-many-tokens` unless the longest title fits and no stop text may end one:
 *   none may be cut short.
 */
export function requireTitlesFit(
  inputs: RankingInputs,
  titles: TitleTrie | undefined,
  { maximumTokens, stop }: { readonly maximumTokens: number; readonly stop: readonly string[] },
): void {
  if (!titles) return;
  requireFit(inputs, titles);
  if (stop.length > 0)
    throw new UserLlmError('bad-argument', {
      what: 'stop',
      expected: 'no stop texts where answers are titles, which end by themselves',
      got: JSON.stringify(stop),
    });
  if (titles.depth <= maximumTokens) return;
  throw new UserLlmError('bad-argument', {
    what: 'maximumTokens',
    expected: `at least ${titles.depth}, the tokens of the longest title and its end`,
    got: `${maximumTokens}`,
  });
}

/** An answer on its way through the titles of a catalogue, which it cannot leave. */
export class TitleWalk {
  readonly #titles: TitleTrie;
  #node = 0;

  constructor(titles: TitleTrie) {
    this.#titles = titles;
  }

  /** Leaves the logits of tokens by which a title goes on; those of others become minus infinity. */
  constrain(logits: Float32Array): void {
    const kept = this.#titles.edges(this.#node).map(({ token }) => [token, logits[token]!] as const);
    logits.fill(-Infinity);
    for (const [token, logit] of kept) logits[token] = logit;
  }

  /** Goes on by a token; says whether the title ends with it. */
  take(token: number): boolean {
    this.#node = this.#titles.edges(this.#node).find((edge) => edge.token === token)!.node;
    return token === this.#titles.end;
  }
}
