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
import { TitleTrie } from './title-trie.js';

/** Nodes of a trie that are read in one step. */
const nodesAtOnce = 128;

/**
 * How likely each title of a trie is as the answer, exactly: every node is read, so it is for small catalogues and for
 * choices; `rankTitles` searches large ones.
 *
 * @returns For each prompt natural logarithms of the probabilities of the titles and the end after them, in the order
 *   of `trie.items`.
 * @throws UserLlmError as `rankTitles`.
 */
export async function scoreTitles(inputs: RankingInputs, trie: TitleTrie): Promise<Float64Array[]> {
  branchOf(inputs.stepper);
  requireFit(inputs, trie);
  const scores: Float64Array[] = [];
  for (const group of await groupsOf(inputs, promptsAtOnce(inputs, Math.min(nodesAtOnce, trie.nodes))))
    scores.push(...(await scoreGroup(inputs, trie, group)));
  return scores;
}

async function scoreGroup(
  { stepper, signal }: RankingInputs,
  trie: TitleTrie,
  { prompts, context }: PromptGroup,
): Promise<Float64Array[]> {
  const branch = branchOf(stepper);
  const run = signal ? { signal } : {};
  const { vocabularySize } = stepper;
  const room = stepper.prefixTokens + prompts.reduce((longest, prompt) => Math.max(longest, prompt.length), 0);
  const { slots, logits } = await stepper.prefill(prompts, { room, context, ...run });
  // Leaves need not be read: nothing follows them. Every node comes after its parent.
  const read = Array.from({ length: trie.nodes }, (_, node) => node).filter(
    (node) => node > 0 && trie.edges(node).length > 0,
  );
  const branchOfNode = new Map(read.map((node, at) => [node, at]));
  const scores = prompts.map(() => new Float64Array(trie.nodes));
  const passOn = (node: number, chances: Float32Array, rowStart: (row: number) => number): void => {
    scores.forEach((own, row) => {
      for (const edge of trie.edges(node)) {
        const score = own[node]! + chances[rowStart(row) + edge.token]!;
        if (Number.isNaN(score)) throw notFinite('likelihood of a title', score);
        own[edge.node] = score;
      }
    });
  };
  let branches: Branches | undefined;
  try {
    passOn(0, logProbabilitiesOf(logits), (row) => row * vocabularySize);
    for (let from = 0; from < read.length; from += nodesAtOnce) {
      const nodes = read.slice(from, from + nodesAtOnce);
      const tokens = nodes.map((node) => trie.token(node));
      const parents = nodes.map((node) => branchOfNode.get(trie.parent(node)) ?? -1);
      const step = await branch(
        slots,
        { tokens: prompts.map(() => tokens), parents: prompts.map(() => parents) },
        branches,
        run,
      );
      branches = step.branches;
      const { data } = step.logProbabilities;
      nodes.forEach((node, at) => {
        passOn(node, data, (row) => (row * nodes.length + at) * vocabularySize);
      });
    }
  } finally {
    branches?.dispose();
    slots.dispose();
  }
  return scores.map((own) => Float64Array.from(trie.items, (_, item) => own[trie.leaf(item)]!));
}

/**
 * How likely each of a few answers is, such as the labels of genres.
 *
 * @param choices Tokens of each answer, without the one that ends it.
 * @param end The token that ends an answer.
 * @returns For each prompt natural logarithms of the probabilities of the choices and the end after them.
 * @throws UserLlmError as `rankTitles`.
 */
export function scoreChoices(
  inputs: RankingInputs,
  choices: readonly (readonly number[])[],
  end: number,
): Promise<Float64Array[]> {
  return scoreTitles(
    inputs,
    new TitleTrie(
      choices.map((tokens, at) => ({ item: `${at}`, tokens })),
      end,
    ),
  );
}
