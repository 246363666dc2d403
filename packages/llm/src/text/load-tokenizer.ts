import { Tokenizer } from '@huggingface/tokenizers';
import type { TextTokenizer } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { wordPattern } from './byte-level.js';
import { dropsSpaces } from './sentence-piece-json.js';
import { badTokenizer, parseTokenizerJson, type PipelineStep, type TokenizerJson } from './tokenizer-json.js';
import { rememberWords, splitsIntoWords } from './word-cache.js';

/** A tokenizer read from a `tokenizer.json`. */
export interface JsonTokenizer extends TextTokenizer {
  /** Fills rows up, where the tokenizer has a token for that. */
  readonly padding?: number;
  /** Numbers of the tokens that no text becomes, by their names. */
  readonly specialTokens: Readonly<Record<string, number>>;
  /** What it was read from, to be kept with a model. */
  readonly json: TokenizerJson;
}

/** Which special tokens begin and end a sequence, by name, where their names do not tell. */
export interface TokenizerRoles {
  readonly begin?: string;
  readonly end?: string;
  readonly padding?: string;
}

/** Names that tokenizers give the roles, first choice first. */
const usualNames = {
  begin: ['<|begin|>', '<s>', '<|begin_of_text|>', '<bos>', '<|startoftext|>'],
  end: ['<|end|>', '</s>', '<|end_of_text|>', '<eos>', '<|im_end|>', '<|endoftext|>'],
  padding: ['<|padding|>', '<pad>', '[PAD]', '<|pad|>'],
} as const satisfies Record<keyof TokenizerRoles, readonly string[]>;

/**
 * A tokenizer from a `tokenizer.json`. Special tokens that are written in a text are plain text to it, so that no
 * text can end an answer or begin another; add them by number, from `specialTokens`.
 *
 * @param json The file's text, or what it says; `trainBpe` makes one.
 * @throws UserLlmError `bad-tokenizer` when it is no such file, is of a kind that is not known, or has no token that
 *   ends an answer.
 */
export function loadTokenizer(json: unknown, roles: TokenizerRoles = {}): JsonTokenizer {
  const content = parseTokenizerJson(json);
  const tokenizer = open(withoutSpecialTokens(content));
  const spaceless = dropsSpaces(content);
  // The library would put the first space before a text of which nothing is left, too.
  const encode = (text: string): number[] =>
    spaceless && /^ *$/.test(text) ? [] : tokenizer.encode(text, { add_special_tokens: false }).ids;
  const specialTokens = Object.fromEntries(
    content.added_tokens.filter(({ special }) => special).map((token) => [token.content, token.id]),
  );
  const vocabularySize = sizeOf(content);
  const special = new Set(Object.values(specialTokens));
  const role = (name: keyof TokenizerRoles): number | undefined => {
    const asked = roles[name];
    const found = (asked === undefined ? usualNames[name] : [asked]).find((token) =>
      Object.hasOwn(specialTokens, token),
    );
    if (asked !== undefined && found === undefined)
      throw badTokenizer(`a special token ${asked} (${name})`, Object.keys(specialTokens).join(' ') || 'none');
    return found === undefined ? undefined : specialTokens[found];
  };
  const [begin, end, padding] = [role('begin'), role('end'), role('padding')];
  if (end === undefined)
    throw badTokenizer('a special token that ends an answer', Object.keys(specialTokens).join(' ') || 'none');
  return {
    vocabularySize,
    end,
    ...(begin !== undefined && { begin }),
    ...(padding !== undefined && { padding }),
    specialTokens,
    json: content,
    encode: splitsIntoWords(content) ? rememberWords(encode) : encode,
    decode: (tokens) => {
      for (const token of tokens) requireToken(token, vocabularySize);
      const plain = tokens.filter((token) => !special.has(token));
      return plain.length === 0 ? '' : tokenizer.decode(plain, { clean_up_tokenization_spaces: false });
    },
  };
}

function requireToken(token: number, vocabularySize: number): void {
  if (Number.isInteger(token) && token >= 0 && token < vocabularySize) return;
  throw new UserLlmError('out-of-range', {
    what: 'token',
    expected: `0 to ${vocabularySize - 1}`,
    got: `${token}`,
    mend: 'Use the tokenizer that the model was trained with.',
  });
}

function sizeOf({ model: { vocab }, added_tokens }: TokenizerJson): number {
  let largest = Array.isArray(vocab) ? vocab.length - 1 : -1;
  if (!Array.isArray(vocab)) for (const id of Object.values(vocab)) largest = Math.max(largest, id);
  for (const { id } of added_tokens) largest = Math.max(largest, id);
  return largest + 1;
}

/** The same tokenizer without its special tokens, so that it finds none of them in texts. */
function withoutSpecialTokens(content: TokenizerJson): TokenizerJson {
  const names = new Set(content.added_tokens.filter(({ special }) => special).map((token) => token.content));
  const { vocab, unk_token } = content.model;
  // What stands for the unknown is no text either, but the model looks it up.
  if (typeof unk_token === 'string') names.delete(unk_token);
  const kept = Array.isArray(vocab)
    ? vocab
    : Object.fromEntries(Object.entries(vocab).filter(([token]) => !names.has(token)));
  return {
    ...content,
    added_tokens: content.added_tokens.filter(({ special }) => !special),
    normalizer: content.normalizer ?? null,
    pre_tokenizer: content.pre_tokenizer ? spelledOut(content.pre_tokenizer) : null,
    post_processor: null,
    decoder: content.decoder ?? null,
    model: { ...content.model, vocab: kept },
  };
}

/**
 * Byte-level steps with their pattern of words written out: the library translates a written pattern to JavaScript's
 * meaning of white space, but not the one it has built in.
 */
function spelledOut(step: PipelineStep): PipelineStep {
  if (step.type === 'Sequence' && Array.isArray(step['pretokenizers']))
    return { ...step, pretokenizers: step['pretokenizers'].map((own) => spelledOut(own as PipelineStep)) };
  if (step.type !== 'ByteLevel' || step['use_regex'] === false || step['add_prefix_space'] === true) return step;
  const split = { type: 'Split', pattern: { Regex: wordPattern }, behavior: 'Isolated', invert: false };
  return { type: 'Sequence', pretokenizers: [split, { ...step, use_regex: false }] };
}

const kinds = ['BPE', 'Unigram', 'WordPiece'];

function open(content: TokenizerJson): Tokenizer {
  const kind = content.model.type;
  // The library takes any other name for a list of whole words.
  if (kind !== undefined && !kinds.includes(kind)) throw badTokenizer(`a model of ${kinds.join(', ')}`, kind);
  try {
    return new Tokenizer(content, { clean_up_tokenization_spaces: false });
  } catch (cause) {
    throw badTokenizer('a tokenizer of a known kind', cause instanceof Error ? cause.message : String(cause), cause);
  }
}
