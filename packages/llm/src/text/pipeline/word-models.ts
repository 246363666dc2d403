import type { TokenizerJson } from '../tokenizer-json.js';
import { library, type LibraryModel } from './library.js';
import { remember } from './remember.js';
import { unigram, type UnigramModel } from './unigram.js';

/** The tokens of one word, as the pre-tokenizer gives it. */
export type WordModel = (word: string) => readonly number[];

type Model = TokenizerJson['model'];

const kinds: Readonly<Record<string, (model: Model, withheld: ReadonlySet<string>) => WordModel>> = {
  BPE: (model, withheld) => {
    const own = new library.BPE(without(model, withheld));
    const ids = idsBy(own);
    if (typeof model.unk_token === 'string' || model['byte_fallback'] === true) return ids;
    // What is unknown is left out before merges, so that its neighbours meet; the library leaves it out after them.
    return (word) => ids(Array.from(word, (character) => (own.tokens_to_ids.has(character) ? character : '')).join(''));
  },
  WordPiece: (model, withheld) => idsBy(new library.WordPiece(without(model, withheld))),
  Unigram: (model, withheld) => {
    if (Array.isArray(model.vocab)) return unigram(model as unknown as UnigramModel, withheld);
    throw new Error('a Unigram without a list of pieces');
  },
};

/**
 * The model of a `tokenizer.json`.
 *
 * @param withheld Tokens that no text becomes.
 * @throws Error for a kind that is not known, and for one that lacks something.
 */
export function wordModelOf(model: Model, withheld: ReadonlySet<string>): WordModel {
  const kind = model.type ?? (Array.isArray(model.vocab) ? 'Unigram' : model['merges'] ? 'BPE' : 'WordPiece');
  const make = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (!make) throw new Error(`a model of the kind ${kind}; known are ${Object.keys(kinds).join(', ')}`);
  return remember(make(model, withheld));
}

/** The numbers of what the library calls a word, one word at a time, since it would fuse unknowns across words. */
function idsBy(model: LibraryModel): WordModel {
  return (word) =>
    model([word]).flatMap((token) => {
      const id = model.tokens_to_ids.get(token) ?? model.unk_token_id;
      return id === undefined ? [] : [id];
    });
}

function without(model: Model, withheld: ReadonlySet<string>): object {
  // What stands for the unknown is no text either, but the library looks it up.
  const kept = Object.entries(model.vocab).filter(([token]) => !withheld.has(token) || token === model.unk_token);
  return { ...model, vocab: Object.fromEntries(kept) };
}
