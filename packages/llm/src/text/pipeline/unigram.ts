/** A unigram model as a `tokenizer.json` holds it. */
export interface UnigramModel {
  /** Pieces with natural logarithms of their probabilities. */
  readonly vocab: readonly (readonly [string, number])[];
  /** Stands for characters that no piece covers. */
  readonly unk_id?: number | null | undefined;
  readonly byte_fallback?: boolean | undefined;
}

/** A beginning of pieces. */
class Node {
  readonly next = new Map<string, Node>();
  id = -1;
}

/** The best way to read a text up to some place. */
interface Ending {
  readonly score: number;
  readonly start: number;
  readonly id: number;
}

/** How much less likely than the least likely piece an unknown character is. */
const unknownPenalty = 10;

/**
 * The likeliest pieces of a text under a unigram model (Kudo 2018), as `tokenizers` finds them: of ways that are equally
 * likely, the one whose last piece begins first; unknown characters next to each other become one.
 *
 * @param withheld Pieces that no text becomes.
 */
export function unigram(
  { vocab, unk_id, byte_fallback }: UnigramModel,
  withheld: ReadonlySet<string>,
): (text: string) => number[] {
  const unknown = unk_id ?? undefined;
  const least = vocab.reduce((smallest, [, score]) => Math.min(smallest, score), Infinity) - unknownPenalty;
  const [root, ids] = indexOf(vocab, withheld);
  const known = (piece: string): readonly number[] => {
    const id = ids.get(piece);
    if (id !== undefined) return [id];
    const bytes = byte_fallback ? bytePieces(piece).map((byte) => ids.get(byte)) : [undefined];
    if (bytes.every((byte) => byte !== undefined)) return bytes;
    return unknown === undefined ? [] : [unknown];
  };
  return (text) => {
    const characters = Array.from(text);
    const scoreOf = (id: number): number => vocab[id]![1];
    return fused(characters, endings(characters, root, scoreOf, least, unknown), unknown).flatMap(known);
  };
}

function indexOf(
  vocab: UnigramModel['vocab'],
  withheld: ReadonlySet<string>,
): readonly [root: Node, ids: ReadonlyMap<string, number>] {
  const root = new Node();
  const ids = new Map<string, number>();
  vocab.forEach(([piece], id) => {
    if (withheld.has(piece)) return;
    ids.set(piece, id);
    let node = root;
    for (const character of piece) {
      let next = node.next.get(character);
      if (!next) node.next.set(character, (next = new Node()));
      node = next;
    }
    node.id = id;
  });
  return [root, ids];
}

/** The best way to read the text up to each place (Viterbi). */
function endings(
  characters: readonly string[],
  root: Node,
  scoreOf: (id: number) => number,
  unknownScore: number,
  unknown: number | undefined,
): (Ending | undefined)[] {
  const best = new Array<Ending | undefined>(characters.length + 1);
  const offer = (end: number, way: Ending): void => {
    const known = best[end];
    if (!known || way.score > known.score) best[end] = way;
  };
  for (let start = 0; start < characters.length; start++) {
    const before = best[start]?.score ?? 0;
    let single = false;
    let node: Node | undefined = root;
    for (let end = start; end < characters.length;) {
      node = node.next.get(characters[end++]!);
      if (!node) break;
      if (node.id === -1) continue;
      offer(end, { score: before + scoreOf(node.id), start, id: node.id });
      single ||= end === start + 1;
    }
    if (!single) offer(start + 1, { score: before + unknownScore, start, id: unknown ?? -1 });
  }
  return best;
}

/** The pieces of the best way, unknown neighbours as one. */
function fused(
  characters: readonly string[],
  best: readonly (Ending | undefined)[],
  unknown: number | undefined,
): string[] {
  const pieces: string[] = [];
  let strange = false;
  for (let end = characters.length; end > 0; end = best[end]!.start) {
    const { start, id } = best[end]!;
    const piece = characters.slice(start, end).join('');
    const isUnknown = unknown !== undefined && id === unknown;
    if (isUnknown && strange) pieces.push(piece + pieces.pop()!);
    else pieces.push(piece);
    strange = isUnknown;
  }
  return pieces.reverse();
}

const encoder = new TextEncoder();

/** The names of a text's bytes among the pieces. */
function bytePieces(text: string): string[] {
  return Array.from(encoder.encode(text), (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
}
