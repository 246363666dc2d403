import type { TitleTrie } from '../ranking/title-trie.js';

/** A beginning of an answer. */
export interface Beam {
  readonly tokens: readonly number[];
  /** Natural logarithm of its probability. */
  readonly score: number;
  /** Which beam of the step before it continues. */
  readonly parent: number;
  /** Where it stands in the titles; 0 where there are none. */
  readonly node: number;
}

/** An answer that has ended. */
export interface EndedBeam {
  readonly tokens: readonly number[];
  /** Its logarithm of probability, divided by its number of tokens to the power of the length penalty. */
  readonly score: number;
}

/** How one prompt's beams are searched. */
export interface BeamLimits {
  readonly beams: number;
  readonly maximumTokens: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | 'never';
  readonly ends: ReadonlySet<number>;
  readonly titles?: TitleTrie | undefined;
  /** Whether a stop text ends an answer. */
  readonly stopped: (tokens: readonly number[]) => boolean;
}

/** The beam search of one prompt, step by step as that of transformers. */
export class PromptBeams {
  /** Those that go on, best first; none once the search is over. */
  beams: readonly Beam[] = [{ tokens: [], score: 0, parent: 0, node: 0 }];
  readonly #limits: BeamLimits;
  #ended: readonly EndedBeam[] = [];

  constructor(limits: BeamLimits) {
    this.#limits = limits;
  }

  /** The best answers that have ended. */
  best(count: number): readonly EndedBeam[] {
    return this.#ended.slice(0, count);
  }

  /**
   * Goes on by one token.
   *
   * @param chances For each beam logarithms of the probabilities of what follows, `[vocabulary]`.
   */
  advance(chances: readonly Float32Array[]): void {
    const { beams: width, maximumTokens, lengthPenalty, stopped } = this.#limits;
    const candidates = this.#candidates(chances);
    const length = this.beams[0]!.tokens.length + 1;
    const ending = candidates.map(
      ({ tokens }) => length === maximumTokens || this.#endsWith(tokens.at(-1)!) || stopped(tokens),
    );
    // Only the best may end: one that many others are better than shall not cut the search short.
    const justEnded = candidates
      .filter((_, rank) => rank < width && ending[rank])
      .map(({ tokens, score }) => ({ tokens, score: score / length ** lengthPenalty }));
    this.#ended = [...this.#ended, ...justEnded].sort((a, b) => b.score - a.score).slice(0, width);
    this.beams = candidates.filter((_, rank) => !ending[rank]).slice(0, width);
    if (!this.#canImprove(length)) this.beams = [];
  }

  #endsWith(token: number): boolean {
    const { ends, titles } = this.#limits;
    return titles ? token === titles.end : ends.has(token);
  }

  /** The best ways on, more than can go on: so many that those which end leave enough. */
  #candidates(chances: readonly Float32Array[]): Beam[] {
    const { beams: width, ends, titles } = this.#limits;
    const count = Math.max(2, 1 + ends.size) * width;
    const best: { readonly parent: number; readonly token: number; readonly node: number; readonly score: number }[] =
      [];
    const offer = (parent: number, token: number, node: number): void => {
      const score = this.beams[parent]!.score + chances[parent]![token]!;
      if (best.length === count && score <= best[count - 1]!.score) return;
      let place = best.length;
      while (place > 0 && best[place - 1]!.score < score) place--;
      best.splice(place, 0, { parent, token, node, score });
      if (best.length > count) best.pop();
    };
    this.beams.forEach(({ node }, parent) => {
      if (titles) for (const edge of titles.edges(node)) offer(parent, edge.token, edge.node);
      else for (let token = 0; token < chances[parent]!.length; token++) offer(parent, token, 0);
    });
    return best.map(({ token, ...beam }) => ({ ...beam, tokens: [...this.beams[beam.parent]!.tokens, token] }));
  }

  /** Whether a beam may still become a better answer than those that have ended. */
  #canImprove(length: number): boolean {
    const { beams: width, maximumTokens, lengthPenalty, earlyStopping } = this.#limits;
    if (this.#ended.length < width) return true;
    if (earlyStopping === true) return false;
    const best = this.beams[0]?.score ?? -Infinity;
    const longest = earlyStopping === 'never' && lengthPenalty > 0 ? maximumTokens : length;
    return best / longest ** lengthPenalty > this.#ended.at(-1)!.score;
  }
}
