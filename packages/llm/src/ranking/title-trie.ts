import { UserLlmError } from '@user-llm/tensor';

/** An item with the tokens of its title. */
export interface TokenizedTitle {
  readonly item: string;
  /** Tokens of the title, without the one that ends an answer. */
  readonly tokens: readonly number[];
}

/** A way on from a node. */
export interface TrieEdge {
  readonly token: number;
  readonly node: number;
}

/**
 * The titles of a catalogue by their tokens: every path from the root to a leaf is one title and the token that ends
 * it, so that no title counts as the start of another. Several items may have one title.
 */
export class TitleTrie {
  /** Every item, in the order given. */
  readonly items: readonly string[];
  /** The token that ends titles. */
  readonly end: number;
  /** Tokens of the longest path, the ending one included. */
  readonly depth: number;
  /** The largest token, the ending one included. */
  readonly largestToken: number;
  readonly #edges: TrieEdge[][] = [[]];
  readonly #parents: number[] = [-1];
  readonly #tokens: number[] = [-1];
  /** Items that end at a node, as indices of `items`. */
  readonly #ending = new Map<number, number[]>();
  /** Items at or below each node. */
  readonly #counts: number[] = [0];
  readonly #leaves: number[] = [];
  readonly #indices = new Map<string, number>();
  /** By node; -1 where there is something to choose. */
  #onlyLeaves: Int32Array | undefined;

  /**
   * @param end The token that ends an answer.
   * @throws UserLlmError `bad-argument` for no titles, an item given twice, or a title without tokens, with the ending
   *   token in it, or with what is no token.
   */
  constructor(titles: Iterable<TokenizedTitle>, end: number) {
    this.end = end;
    const items: string[] = [];
    const children: Map<number, number>[] = [new Map()];
    let depth = 0;
    let largest = end;
    for (const { item, tokens } of titles) {
      const wrong = this.#indices.has(item) ? 'the item twice' : wrongTokens(tokens, end);
      if (wrong !== undefined)
        throw new UserLlmError('bad-argument', {
          what: `title of item ${JSON.stringify(item)}`,
          expected: 'each item once, with at least one token, none of which is the one that ends titles',
          got: wrong,
        });
      this.#indices.set(item, items.length);
      let node = 0;
      this.#counts[0]!++;
      for (const token of [...tokens, end]) {
        let next = children[node]!.get(token);
        if (next === undefined) {
          next = children.push(new Map()) - 1;
          children[node]!.set(token, next);
          this.#edges.push([]);
          this.#edges[node]!.push({ token, node: next });
          this.#parents.push(node);
          this.#tokens.push(token);
          this.#counts.push(0);
        }
        node = next;
        this.#counts[node]!++;
        largest = Math.max(largest, token);
      }
      this.#leaves.push(node);
      const twins = this.#ending.get(node);
      if (twins) twins.push(items.length);
      else this.#ending.set(node, [items.length]);
      items.push(item);
      depth = Math.max(depth, tokens.length + 1);
    }
    if (items.length === 0)
      throw new UserLlmError('bad-argument', { what: 'TitleTrie', expected: 'at least one title', got: 'none' });
    this.items = items;
    this.depth = depth;
    this.largestToken = largest;
  }

  /** Number of nodes; the root is node 0, and every node comes after its parent. */
  get nodes(): number {
    return this.#edges.length;
  }

  /** The ways on from a node; none from a leaf. */
  edges(node: number): readonly TrieEdge[] {
    return this.#edges[node]!;
  }

  /** The node before; -1 for the root. */
  parent(node: number): number {
    return this.#parents[node]!;
  }

  /** The token that leads to a node; -1 for the root. */
  token(node: number): number {
    return this.#tokens[node]!;
  }

  /** Items that end at a leaf, as indices of `items`; none elsewhere. */
  itemsAt(node: number): readonly number[] {
    return this.#ending.get(node) ?? [];
  }

  /** The one leaf at or below a node; nothing where there is still something to choose. */
  onlyLeaf(node: number): number | undefined {
    const leaf = (this.#onlyLeaves ??= this.#findOnlyLeaves())[node]!;
    return leaf === -1 ? undefined : leaf;
  }

  /** Tokens of the longest path up to its last choice; 1 where there is no choice at all. */
  get choosingDepth(): number {
    const depths = new Int32Array(this.nodes);
    let deepest = 0;
    for (let node = 1; node < this.nodes; node++) {
      depths[node] = depths[this.#parents[node]!]! + 1;
      if (this.onlyLeaf(node) === undefined) deepest = Math.max(deepest, depths[node]!);
    }
    return deepest + 1;
  }

  /** The leaf of an item, by its index in `items`. */
  leaf(item: number): number {
    return this.#leaves[item]!;
  }

  #findOnlyLeaves(): Int32Array {
    const leaves = new Int32Array(this.nodes);
    // Every node comes after its parent.
    for (let node = this.nodes - 1; node >= 0; node--) {
      const [first, second] = this.#edges[node]!;
      leaves[node] = first === undefined ? node : second === undefined ? leaves[first.node]! : -1;
    }
    return leaves;
  }

  /**
   * Whether anything but the excluded items is at or below a node.
   *
   * @param exclude Items that must not be found; those that are not here are passed over.
   */
  without(exclude: ReadonlySet<string>): { open(node: number): boolean; allows(item: number): boolean } {
    const removed = new Map<number, number>();
    const banned = new Set<number>();
    for (const name of exclude) {
      const item = this.#indices.get(name);
      if (item === undefined) continue;
      banned.add(item);
      for (let node = this.#leaves[item]!; node !== -1; node = this.#parents[node]!)
        removed.set(node, (removed.get(node) ?? 0) + 1);
    }
    return {
      open: (node) => this.#counts[node]! > (removed.get(node) ?? 0),
      allows: (item) => !banned.has(item),
    };
  }
}

/** What is wrong with the tokens of a title. */
function wrongTokens(tokens: readonly number[], end: number): string | undefined {
  const wrong = tokens.find((token) => token === end || !Number.isInteger(token) || token < 0);
  if (wrong !== undefined) return `the token ${wrong}`;
  return tokens.length === 0 ? 'no tokens' : undefined;
}
