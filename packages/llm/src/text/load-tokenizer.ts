import type { TextTokenizer } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { openedWith, openingTokens } from './opening-tokens.js';
import { TextPipeline } from './pipeline/text-pipeline.js';
import { badTokenizer, parseTokenizerJson, type TokenizerJson } from './tokenizer-json.js';

/** A tokenizer read from a `tokenizer.json`. */
export interface JsonTokenizer extends TextTokenizer {
  /** Fills rows up, where the tokenizer has a token for that. */
  readonly padding?: number;
  /** Every token that ends an answer, `end` first: a chat's turn may end by another than a text. */
  readonly ends: readonly number[];
  /** The token that is named as the first of a text; whether texts open with it, `opensWith` tells. */
  readonly begin?: number;
  /** Numbers of the tokens that no text becomes, by their names. */
  readonly specialTokens: Readonly<Record<string, number>>;
  /** The Jinja template of conversations that the LLM was tuned on, where it was tuned on such. */
  readonly chatTemplate?: string;
  /** What it was read from, to be kept with a model. */
  readonly json: TokenizerJson;
  /**
   * As `encode`, but special tokens written in the text are read as such: for texts of ours, never for users'.
   *
   * @param guard A text that keeps what stands around it from being one special token; it is then left out.
   */
  encodeMarked(text: string, guard?: string): number[];
}

/** What is known of a tokenizer beside its `tokenizer.json`: which special tokens begin and end, by name. */
export interface TokenizerRoles {
  readonly begin?: string;
  readonly end?: string;
  readonly padding?: string;
  /** Whether texts open with `begin`, where `tokenizer.json` has no template (`post_processor`) that tells it. */
  readonly opensWithBegin?: boolean;
  /** Further tokens that end an answer. */
  readonly alsoEnd?: readonly string[];
  /** The Jinja template of conversations. */
  readonly chatTemplate?: string;
}

/** Names that tokenizers give the roles, first choice first. */
const usualNames = {
  begin: ['<|begin|>', '<s>', '<|begin_of_text|>', '<bos>', '<|startoftext|>'],
  end: ['<|end|>', '</s>', '<|end_of_text|>', '<eos>', '<|im_end|>', '<|endoftext|>'],
  padding: ['<|padding|>', '<pad>', '[PAD]', '<|pad|>'],
} as const satisfies Partial<Record<keyof TokenizerRoles, readonly string[]>>;

/**
 * A tokenizer from a `tokenizer.json`: ids and texts are those of Hugging Face's `tokenizers`. Special tokens that are
 * written in a text are plain text to it, so that no text can end an answer or begin another; add them by number, from
 * `specialTokens`, or by `encodeMarked`.
 *
 * @param json The file's text, or what it says; `trainBpe` makes one.
 * @throws UserLlmError `bad-tokenizer` when it is no such file, is of a kind that is not known, or has no token that
 *   ends an answer.
 */
export function loadTokenizer(json: unknown, roles: TokenizerRoles = {}): JsonTokenizer {
  const content = parseTokenizerJson(json);
  const pipeline = checked(() => new TextPipeline(content));
  const specialTokens = Object.fromEntries(
    content.added_tokens.filter(({ special }) => special).map((token) => [token.content, token.id]),
  );
  const { vocabularySize } = pipeline;
  const special = new Set(Object.values(specialTokens));
  const names = Object.keys(specialTokens).join(' ') || 'none';
  const named = (token: string, role: string): number => {
    const id = Object.hasOwn(specialTokens, token) ? specialTokens[token] : undefined;
    if (id === undefined) throw badTokenizer(`a special token ${token} (${role})`, names);
    return id;
  };
  const nameOf = (id: number): string => Object.keys(specialTokens).find((name) => specialTokens[name] === id)!;
  const roleOf = (role: keyof typeof usualNames): number | undefined => {
    const asked = roles[role];
    if (asked !== undefined) return named(asked, role);
    const usual = usualNames[role].find((token) => Object.hasOwn(specialTokens, token));
    return usual === undefined ? undefined : specialTokens[usual];
  };
  const [begin, end, padding] = [roleOf('begin'), roleOf('end'), roleOf('padding')];
  if (end === undefined) throw badTokenizer('a special token that ends an answer', names);
  const { opened, opensWith } = checked(() => {
    const opened = roles.opensWithBegin && begin !== undefined ? openedWith(content, nameOf(begin), begin) : content;
    return { opened, opensWith: openingTokens(opened.post_processor) };
  });
  const alsoEnd = (roles.alsoEnd ?? []).map((token) => named(token, 'end'));
  return {
    vocabularySize,
    end,
    ends: [...new Set([end, ...alsoEnd])],
    ...(begin !== undefined && { begin }),
    ...(padding !== undefined && { padding }),
    ...(roles.chatTemplate !== undefined && { chatTemplate: roles.chatTemplate }),
    opensWith,
    specialTokens,
    json: opened,
    encode: (text) => pipeline.encode(text),
    encodeMarked: (text, guard) => pipeline.encode(text, true, guard),
    decode: (tokens) => {
      for (const token of tokens) requireToken(token, vocabularySize);
      return pipeline.decode(tokens.filter((token) => !special.has(token)));
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

function checked<T>(made: () => T): T {
  try {
    return made();
  } catch (cause) {
    throw badTokenizer('a tokenizer of a known kind', cause instanceof Error ? cause.message : String(cause), cause);
  }
}
