import { Template } from '@huggingface/jinja';
import { UserLlmError } from '@user-llm/tensor';
import type { JsonTokenizer } from '../text/load-tokenizer.js';
import { guardTexts } from './guard-texts.js';
import { giveStripCharacters, stripFunctions } from './strip-characters.js';

/** A turn of a conversation; templates may read further fields. */
export interface ChatMessage {
  /** `system`, `user`, `assistant`, or what else the template knows. */
  readonly role: string;
  readonly content: string;
  readonly [field: string]: unknown;
}

/** How a conversation is written down. */
export interface ChatOptions {
  /** Whether the text ends where the assistant's next turn begins; `true` unless told. */
  readonly addGenerationPrompt?: boolean;
  /** Further variables of the template, such as `tools`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** The form of conversations that an LLM was tuned on: messages to the prompt of the next turn. */
export class ChatTemplate {
  readonly #template: Template;
  readonly #tokenizer: JsonTokenizer;

  /**
   * @param tokenizer One with a `chatTemplate`.
   * @throws UserLlmError `no-chat-template`, `bad-chat-template` for one that is no Jinja.
   */
  constructor(tokenizer: JsonTokenizer) {
    if (tokenizer.chatTemplate === undefined)
      throw new UserLlmError('no-chat-template', {
        what: 'tokenizer',
        expected: 'a chat template',
        got: 'none',
        mend: 'Use an LLM that was tuned on conversations, or put its chat_template.jinja beside it.',
      });
    this.#tokenizer = tokenizer;
    try {
      this.#template = new Template(tokenizer.chatTemplate);
      giveStripCharacters(this.#template);
    } catch (cause) {
      throw badTemplate('Jinja', cause);
    }
  }

  /**
   * The conversation as the text that the LLM reads, as `apply_chat_template` of transformers gives it.
   *
   * @throws UserLlmError `bad-chat` when the template refuses the messages.
   */
  render(messages: readonly ChatMessage[], options: ChatOptions = {}): string {
    return this.#render(messages, options.variables ?? {}, options);
  }

  /**
   * The tokens of that text. Special tokens are those that the template writes itself: what is written like one in a
   * message, or in another variable, is plain text, so that nobody can end a turn or begin another.
   *
   * @throws UserLlmError `bad-chat` when the template refuses the messages, or they hold what JSON cannot.
   */
  encode(messages: readonly ChatMessage[], options: ChatOptions = {}): number[] {
    const specials = Object.keys(this.#tokenizer.specialTokens);
    const { guarded, guard } = guardedTexts({ messages, variables: options.variables ?? {} }, specials);
    return this.#tokenizer.encodeMarked(this.#render(guarded.messages, guarded.variables, options), guard);
  }

  #render(
    messages: readonly ChatMessage[],
    variables: Readonly<Record<string, unknown>>,
    { addGenerationPrompt = true }: ChatOptions,
  ): string {
    const { specialTokens, begin, end, padding } = this.#tokenizer;
    const nameOf = (token: number | undefined): string | undefined =>
      Object.keys(specialTokens).find((name) => specialTokens[name] === token);
    const names = { bos_token: nameOf(begin), eos_token: nameOf(end), pad_token: nameOf(padding) };
    try {
      return this.#template.render({
        ...stripFunctions,
        ...Object.fromEntries(Object.entries(names).filter(([, name]) => name !== undefined)),
        ...variables,
        messages,
        add_generation_prompt: addGenerationPrompt,
      });
    } catch (cause) {
      throw badChat("a conversation that the LLM's chat template takes", cause);
    }
  }
}

function guardedTexts<T>(value: T, specials: readonly string[]): ReturnType<typeof guardTexts<T>> {
  try {
    return guardTexts(value, specials);
  } catch (cause) {
    throw badChat('messages and variables that JSON can hold', cause);
  }
}

function badChat(expected: string, cause: unknown): UserLlmError {
  return new UserLlmError('bad-chat', {
    what: 'messages',
    expected,
    got: cause instanceof Error ? cause.message : String(cause),
    cause,
  });
}

function badTemplate(expected: string, cause: unknown): UserLlmError {
  return new UserLlmError('bad-chat-template', {
    what: 'chat template',
    expected,
    got: cause instanceof Error ? cause.message : String(cause),
    mend: 'Fetch chat_template.jinja or tokenizer_config.json of the LLM again.',
    cause,
  });
}
