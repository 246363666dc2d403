import type { AddedToken, PipelineStep, TokenizerJson } from './tokenizer-json.js';

/** What tells one byte-level BPE from another. */
export interface ByteLevelBpe {
  readonly added: AddedToken[];
  /** How texts are cut into words. */
  readonly words: PipelineStep;
  /** Ids by token. */
  readonly vocab: Record<string, number>;
  readonly merges: readonly (readonly string[])[];
  /** Whether a word that is a token is taken whole, whatever the merges say. */
  readonly wholeWords: boolean;
}

/** A byte-level BPE (Radford et al. 2019) as the content of a `tokenizer.json`. */
export function byteLevelBpeJson({ added, words, vocab, merges, wholeWords }: ByteLevelBpe): TokenizerJson {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: words,
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: wholeWords,
      vocab,
      merges,
    },
  };
}
