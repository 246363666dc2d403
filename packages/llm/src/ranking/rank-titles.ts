import { UserLlmError } from '@user-llm/tensor';
import type { Branches } from '../decoding/decode-stepper.js';
import { notFinite } from './not-finite.js';
import {
  branchOf,
  groupsOf,
  logProbabilitiesOf,
  promptsAtOnce,
  requireFit,
  type PromptGroup,
  type RankingInputs,
} from './ranking-options.js';
import type { TitleTrie } from './title-trie.js';

/** How a catalogue is searched. */
export interface RankingOptions {
  /** How many items to find per prompt. */
  readonly k: number;
  /** Beginnings of titles that are followed up at one time; at least `k` unless told, and no fewer than 16. */
  readonly beamWidth?: number;
  /** For each prompt, items that must not be found. */
  readonly exclude?: readonly (ReadonlySet<string> | undefined)[];
  /**
   * Whether each token's probability is that among the tokens by which some title goes on, excluded or not, instead of
   * among all of the vocabulary: for an LLM that was trained so. A title is found as soon as no other one begins as it
   * does, so that about two tokens of it are read instead of all.
   */
  readonly constrained?: boolean;
}

/** An item found, with how likely its title is as the answer. */
export interface RankedTitle {
  readonly item: string;
  /** Natural logarithm of the probability of the title's tokens and the end after them; among titles if constrained. */
  readonly logLikelihood: number;
}

/** A beginning of titles. */
interface Beam {
  readonly node: number;
  readonly score: number;
  /** Its branch token; -1 at the prompt's end. */
  readonly branch: number;
}

/** How a search is bounded, and what it is led by. */
type Limits = Required<Omit<RankingOptions, 'exclude'>>;

/** One prompt's search. */
interface Search {
  readonly filter: ReturnType<TitleTrie['without']>;
  beams: readonly Beam[];
  /** Titles found, best first; no more than are asked for. */
  found: { readonly item: number; readonly score: number }[];
}

/**
 * The items of a catalogue whose titles an LLM finds likeliest as the answer, by beam search over a trie: only real
 * items come out. Prompts are read once each, however many beams follow. Exact when the beam is as wide as the
 * catalogue.
 *
 * @returns For each prompt up to `k` items, likeliest first; of equally likely ones the earlier in the catalogue.
 * @throws UserLlmError `bad-argument`, also for titles of tokens that the LLM does not have; `no-branches` for an LLM
 *   without `branch`, `too-many-tokens`, `not-finite` for logits that are NaN, `aborted`.
 */
export async function rankTitles(
  inputs: RankingInputs,
  trie: TitleTrie,
  { k, beamWidth = Math.max(16, k), exclude = [], constrained = false }: RankingOptions,
): Promise<RankedTitle[][]> {
  if (!Number.isInteger(k) || k < 1 || !Number.isInteger(beamWidth) || beamWidth < 1)
    throw new UserLlmError('bad-argument', {
      what: 'rankTitles',
      expected: 'whole numbers k and beamWidth of at least 1',
      got: `${k} and ${beamWidth}`,
    });
  branchOf(inputs.stepper);
  requireFit(inputs, trie, constrained ? trie.choosingDepth : trie.depth);
  const ranked: RankedTitle[][] = [];
  for (const group of await groupsOf(inputs, promptsAtOnce(inputs, beamWidth))) {
    const searches = group.prompts.map((_, row): Search => ({
      filter: trie.without(exclude[group.from + row] ?? new Set()),
      beams: [{ node: 0, score: 0, branch: -1 }],
      found: [],
    }));
    await search(inputs, trie, group, searches, { k, beamWidth, constrained });
    for (const { found } of searches)
      ranked.push(found.map(({ item, score }) => ({ item: trie.items[item]!, logLikelihood: score })));
  }
  return ranked;
}

async function search(
  { stepper, signal }: RankingInputs,
  trie: TitleTrie,
  group: PromptGroup,
  searches: readonly Search[],
  limits: Limits,
): Promise<void> {
  const branch = branchOf(stepper);
  const run = signal ? { signal } : {};
  const room = stepper.prefixTokens + group.prompts.reduce((longest, prompt) => Math.max(longest, prompt.length), 0);
  const { slots, logits } = await stepper.prefill(group.prompts, { room, context: group.context, ...run });
  let branches: Branches | undefined;
  try {
    let chances = logProbabilitiesOf(logits);
    let width = 1;
    for (;;) {
      searches.forEach((own, row) => {
        const at = (beam: number): Float32Array => {
          const start = (row * width + beam) * stepper.vocabularySize;
          return chances.subarray(start, start + stepper.vocabularySize);
        };
        follow(own, trie, at, limits);
      });
      width = searches.reduce((most, { beams }) => Math.max(most, beams.length), 0);
      if (width === 0) return;
      const count = branches?.count ?? 0;
      // Searches with fewer beams read token 0 behind the prompt, which nobody looks at.
      const filled = <T>(of: (beam: Beam) => T, none: T): T[][] =>
        searches.map(({ beams }) => Array.from({ length: width }, (_, at) => (beams[at] ? of(beams[at]) : none)));
      const tokens = filled((beam) => trie.token(beam.node), 0);
      const parents = filled((beam) => beam.branch, -1);
      const read = await branch(slots, { tokens, parents }, branches, run);
      branches = read.branches;
      chances = read.logProbabilities.data;
      for (const own of searches) own.beams = own.beams.map((beam, at) => ({ ...beam, branch: count + at }));
    }
  } finally {
    branches?.dispose();
    slots.dispose();
  }
}

/** Replaces the beams by the best ways on, and notes the titles that end. */
function follow(
  own: Search,
  trie: TitleTrie,
  chancesOf: (beam: number) => Float32Array,
  { k, beamWidth, constrained }: Limits,
): void {
  const ways: Beam[] = [];
  own.beams.forEach(({ node, score, branch }, at) => {
    const chances = chancesOf(at);
    const edges = trie.edges(node);
    const chosen = (token: number) => (constrained && edges.length === 1 ? 0 : chances[token]!);
    const allowed = constrained ? logSumOfExp(edges.map(({ token }) => chosen(token))) : 0;
    for (const edge of edges) {
      if (!own.filter.open(edge.node)) continue;
      const next = score + chosen(edge.token) - allowed;
      if (Number.isNaN(next)) throw notFinite('likelihood of a title', next);
      const leaf = constrained ? trie.onlyLeaf(edge.node) : edge.token === trie.end ? edge.node : undefined;
      if (leaf === undefined) ways.push({ node: edge.node, score: next, branch });
      else for (const item of trie.itemsAt(leaf)) if (own.filter.allows(item)) own.found.push({ item, score: next });
    }
  });
  own.found.sort((a, b) => b.score - a.score || a.item - b.item);
  own.found.length = Math.min(own.found.length, k);
  // A title is never likelier than its beginning.
  const least = own.found.length === k ? own.found[k - 1]!.score : -Infinity;
  own.beams = ways
    .filter(({ score }) => score >= least)
    .sort((a, b) => b.score - a.score || a.node - b.node)
    .slice(0, beamWidth);
}

function logSumOfExp(logs: readonly number[]): number {
  const largest = logs.reduce((most, each) => Math.max(most, each), -Infinity);
  return largest + Math.log(logs.reduce((sum, each) => sum + Math.exp(each - largest), 0));
}
