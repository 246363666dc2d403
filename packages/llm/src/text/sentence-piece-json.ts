import { UserLlmError } from '@user-llm/tensor';
import type { Piece, SentencePieces } from './sentence-piece-files.js';
import type { PipelineStep, TokenizerJson } from './tokenizer-json.js';

/**
 * A SentencePiece vocabulary of the BPE kind as the content of a `tokenizer.json`, in the form that Hugging Face
 * converts Llama's to.
 *
 * @throws UserLlmError `bad-tokenizer` when two pieces are the same.
 */
export function sentencePieceJson({ pieces, spaceFirst, fewerSpaces }: SentencePieces): TokenizerJson {
  const vocabulary = new Map(pieces.map(({ text }, id) => [text, id]));
  if (vocabulary.size !== pieces.length)
    throw new UserLlmError('bad-tokenizer', {
      what: 'SentencePiece vocabulary',
      expected: 'different pieces',
      got: 'one twice',
    });
  const unknown = pieces.find(({ kind }) => kind === 'unknown');
  const special = pieces.flatMap(({ text, kind }, id) => {
    if (kind !== 'unknown' && kind !== 'control' && kind !== 'user') return [];
    return [
      {
        id,
        content: text,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: kind !== 'user',
      },
    ];
  });
  const spaces: PipelineStep[] = [
    ...(fewerSpaces ? fewer : []),
    ...(spaceFirst ? [{ type: 'Prepend', prepend: '▁' }] : []),
    { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  ];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: { type: 'Sequence', normalizers: spaces },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(spaceFirst ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown?.text ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: pieces.some(({ kind }) => kind === 'byte'),
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary),
      merges: mergesOf(pieces),
    },
  };
}

const replace = (pattern: string, content: string): PipelineStep => ({
  type: 'Replace',
  pattern: { Regex: pattern },
  content,
});

/** Spaces at the ends dropped, and all but one of several. */
const fewer: readonly PipelineStep[] = [replace('\\A +', ''), replace(' +\\z', ''), replace(' {2,}', ' ')];

/** Every way to make a piece of two others, those of the highest score first, as SentencePiece merges. */
function mergesOf(pieces: readonly Piece[]): (readonly [string, string])[] {
  const ids = new Map(pieces.flatMap(({ text, kind }, id) => (kind === 'normal' ? [[text, id] as const] : [])));
  const merges = pieces.flatMap(({ text, score, kind }) => {
    if (kind !== 'normal') return [];
    const characters = Array.from(text);
    return characters.slice(1).flatMap((_, at) => {
      const left = characters.slice(0, at + 1).join('');
      const right = characters.slice(at + 1).join('');
      return ids.has(left) && ids.has(right) ? [{ left, right, score }] : [];
    });
  });
  merges.sort(
    (a, b) => b.score - a.score || ids.get(a.left)! - ids.get(b.left)! || ids.get(a.right)! - ids.get(b.right)!,
  );
  return merges.map(({ left, right }) => [left, right]);
}
