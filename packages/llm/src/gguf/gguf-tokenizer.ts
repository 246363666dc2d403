import { UserLlmError } from '@user-llm/tensor';
import { byteLevelBpeJson } from '../text/byte-level-bpe-json.js';
import { loadTokenizer, type JsonTokenizer } from '../text/load-tokenizer.js';
import type { Piece, PieceKind } from '../text/sentence-piece-files.js';
import { sentencePieceJson } from '../text/sentence-piece-json.js';
import type { PipelineStep, TokenizerJson } from '../text/tokenizer-json.js';
import type { GgufMetadata } from './gguf-metadata.js';

const prefix = 'tokenizer.ggml.';

/** What a token is for, by its number in the file. */
const kinds: readonly (PieceKind | undefined)[] = [undefined, 'normal', 'unknown', 'control', 'user', 'unused', 'byte'];

/** Words of GPT-4 and Llama 3: `digits` at most of a number stay together. */
const laterWords = (digits: string): string =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const split = (pattern: string): PipelineStep => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
const byteLevel = (words: boolean): PipelineStep => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: words,
});
const sequence = (...pretokenizers: readonly PipelineStep[]): PipelineStep => ({ type: 'Sequence', pretokenizers });

/** How texts are split before merges, by the name that llama.cpp has for it. */
const preTokenizers: Readonly<Record<string, PipelineStep>> = {
  default: byteLevel(true),
  'gpt-2': byteLevel(true),
  smollm: sequence(split('\\p{N}'), byteLevel(true)),
  'llama-bpe': sequence(split(laterWords('{1,3}')), byteLevel(false)),
  qwen2: sequence(split(laterWords('')), byteLevel(false)),
};

/**
 * The tokenizer in the metadata of a GGUF file: byte-level BPE (`gpt2`), or a SentencePiece vocabulary of the BPE kind
 * (`llama`).
 *
 * @returns Nothing where the file has none.
 * @throws UserLlmError `bad-checkpoint` for lists that do not go together, `bad-tokenizer` for a kind that is not read.
 */
export function ggufTokenizer(metadata: GgufMetadata): JsonTokenizer | undefined {
  const model = metadata.text(`${prefix}model`);
  const texts = metadata.texts(`${prefix}tokens`);
  if (model === undefined || model === 'none' || texts === undefined) return undefined;
  const pieces = piecesOf(metadata, texts);
  const json =
    model === 'gpt2' ? byteLevelJson(metadata, pieces) : model === 'llama' ? pieceJson(metadata, pieces) : undefined;
  if (!json) throw unknownKind(model, 'gpt2, llama');
  const named = (role: string): string | undefined => {
    const id = metadata.number(`${prefix}${role}_token_id`);
    return json.added_tokens.find((token) => token.id === id && token.special)?.content;
  };
  const [begin, end, padding] = [named('bos'), named('eos'), named('padding')];
  const chatTemplate = metadata.text('tokenizer.chat_template');
  return loadTokenizer(json, {
    ...(begin !== undefined && { begin }),
    ...(end !== undefined && { end }),
    ...(padding !== undefined && { padding }),
    opensWithBegin: metadata.flag(`${prefix}add_bos_token`) ?? opensByKind(metadata, model),
    alsoEnd: ['eot', 'eom'].flatMap((role) => named(role) ?? []),
    ...(chatTemplate !== undefined && { chatTemplate }),
  });
}

/** Whether texts open with a token where the file does not say: as llama.cpp has it for the kind. */
function opensByKind(metadata: GgufMetadata, model: string): boolean {
  return model === 'llama' || metadata.text(`${prefix}pre`) === 'llama-bpe';
}

function piecesOf(metadata: GgufMetadata, texts: readonly string[]): readonly Piece[] {
  const listed = <T>(key: string, values: readonly T[] | undefined): readonly T[] | undefined => {
    if (values && values.length !== texts.length)
      throw metadata.bad(`${prefix}${key}`, `${texts.length} values, one per token`, `${values.length}`);
    return values;
  };
  const scores = listed('scores', metadata.numbers(`${prefix}scores`));
  const types = listed('token_type', metadata.numbers(`${prefix}token_type`));
  return texts.map((text, id) => {
    const kind = kinds[types?.[id] ?? 1];
    if (!kind) throw metadata.bad(`${prefix}token_type`, 'numbers from 1 to 6', `${types?.[id]}`);
    return { text, score: scores?.[id] ?? 0, kind };
  });
}

function pieceJson(metadata: GgufMetadata, pieces: readonly Piece[]): TokenizerJson {
  return sentencePieceJson({
    pieces,
    spaceFirst: metadata.flag(`${prefix}add_space_prefix`) ?? true,
    fewerSpaces: metadata.flag(`${prefix}remove_extra_whitespaces`) ?? false,
  });
}

function byteLevelJson(metadata: GgufMetadata, pieces: readonly Piece[]): TokenizerJson {
  const name = metadata.text(`${prefix}pre`) ?? 'default';
  const pre_tokenizer = Object.hasOwn(preTokenizers, name) ? preTokenizers[name] : undefined;
  if (!pre_tokenizer) throw unknownKind(`gpt2 with words of ${name}`, Object.keys(preTokenizers).join(', '));
  const vocab = Object.fromEntries(pieces.map(({ text }, id) => [text, id]));
  if (Object.keys(vocab).length !== pieces.length)
    throw metadata.bad(`${prefix}tokens`, 'different tokens', 'one twice');
  const merges = (metadata.texts(`${prefix}merges`) ?? []).map((merge) => {
    // A token may begin with a space where it stands for itself.
    const at = merge.indexOf(' ', 1);
    if (at < 0) throw metadata.bad(`${prefix}merges`, 'two tokens and a space between them', JSON.stringify(merge));
    return [merge.slice(0, at), merge.slice(at + 1)];
  });
  const added = pieces.flatMap(({ text, kind }, id) =>
    kind === 'control' || kind === 'user'
      ? [
          {
            id,
            content: text,
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: kind === 'control',
          },
        ]
      : [],
  );
  // Llama 3 takes a word whole where it is a token, whatever the merges say.
  return byteLevelBpeJson({ added, words: pre_tokenizer, vocab, merges, wholeWords: name === 'llama-bpe' });
}

function unknownKind(got: string, known: string): UserLlmError {
  return new UserLlmError('bad-tokenizer', {
    what: 'tokenizer of a GGUF file',
    expected: `one of ${known}`,
    got,
    mend: 'Put the tokenizer.json of the model in the folder beside the file, and load the folder.',
  });
}
