import {
  chooseToken,
  parseGenerationOptions,
  type ChatMessage,
  type DecodeStepper,
  type GenerationOptions,
  type JsonTokenizer,
} from '@user-llm/llm';
import { Random, UserLlmError } from '@user-llm/tensor';
import { decoderContext, type Decoders } from '../inference/decoders.js';
import { encodeConversation } from '../prompt/prompt-format.js';
import type { ContextValues } from '../user/user-encoding.js';
import { AnswerLoop } from './answer-loop.js';
import { AnswerText } from './answer-text.js';

/** A question as it is put to the LLM; options of generation are those of `@user-llm/llm`. */
export interface PutQuestion extends Omit<GenerationOptions, 'maximumTokens'> {
  /** What the LLM reads of the user, one row; nothing for the LLM alone. */
  readonly context?: ContextValues;
  /** What is asked, in words. */
  readonly prompt: string;
  /** The conversation that `prompt` stands for, for an LLM with a chat template. */
  readonly messages?: readonly ChatMessage[];
  /** Most tokens of the answer; as many as the LLM has room for when absent. */
  readonly maximumTokens?: number;
  readonly signal?: AbortSignal;
}

/** Fewest positions that slots are made for. */
const leastRoom = 64;

/** Puts questions to the LLM and hands over the answers; all that are asked at the same time are written together. */
export class Answering {
  readonly #tokenizer: JsonTokenizer;
  readonly #decoders: Decoders;
  readonly #atOnce: number;
  readonly #loops = new Map<string, AnswerLoop>();

  /** @param atOnce Most answers that are written at once; others wait. */
  constructor(tokenizer: JsonTokenizer, decoders: Decoders, atOnce: number) {
    this.#tokenizer = tokenizer;
    this.#decoders = decoders;
    this.#atOnce = atOnce;
  }

  /** The answer's text, one piece per token, some of them empty. */
  async *generate(question: PutQuestion): AsyncGenerator<string, void, undefined> {
    const { context, prompt, messages, maximumTokens, signal, ...options } = question;
    const kind = context ? 'user' : 'alone';
    const decoder = await this.#decoders.get(kind);
    const tokens = encodeConversation(this.#tokenizer, prompt, messages);
    const limit = answerLimit(decoder, tokens.length, maximumTokens);
    const room = roomFor(decoder, decoder.prefixTokens + tokens.length + limit);
    const choice = parseGenerationOptions({ ...options, maximumTokens: limit });
    const random = Random.fromSeed(choice.seed).split('generation').at(0).stream();
    const seen = new Set(tokens);
    const text = new AnswerText(this.#tokenizer, choice.stop);
    const pieces = new Pieces();
    const given = new AbortController();
    this.#loop(kind, decoder, room).add({
      prompt: tokens,
      context: context ? decoderContext(context) : {},
      maximumTokens: limit,
      choose: (logits) => chooseToken(logits, choice, seen, random),
      take: (token) => {
        seen.add(token);
        if (this.#tokenizer.ends.includes(token)) return true;
        pieces.push(text.add(token));
        return text.stopped;
      },
      finish: (error) => {
        if (error === undefined) pieces.push(text.end(), true);
        pieces.finish(error);
      },
      signal: signal ? AbortSignal.any([signal, given.signal]) : given.signal,
    });
    try {
      yield* pieces.read();
    } finally {
      given.abort();
    }
  }

  #loop(kind: 'user' | 'alone', decoder: DecodeStepper, room: number): AnswerLoop {
    const name = `${kind} ${room}`;
    const known = this.#loops.get(name);
    if (known) return known;
    const made = new AnswerLoop(decoder, room, this.#atOnce);
    this.#loops.set(name, made);
    return made;
  }
}

/** Most tokens that an answer may have. */
function answerLimit(decoder: DecodeStepper, prompt: number, asked: number | undefined): number {
  if (asked !== undefined && (!Number.isInteger(asked) || asked < 1)) {
    throw new UserLlmError('bad-argument', {
      what: 'maximumTokens',
      expected: 'a whole number from 1',
      got: `${asked}`,
    });
  }
  const left = decoder.maximumTokens - decoder.prefixTokens - prompt;
  if (left >= 1) return Math.min(asked ?? left, left);
  throw new UserLlmError('too-many-tokens', {
    what: 'prompt',
    expected: `at most ${decoder.maximumTokens - decoder.prefixTokens - 1} tokens, so that there is room for an answer`,
    got: `${prompt}`,
    mend: 'Shorten the prompt.',
  });
}

/** Positions that slots are made for: a power of two, so that answers of about one length share a loop. */
function roomFor(decoder: DecodeStepper, positions: number): number {
  return Math.min(decoder.maximumTokens, 2 ** Math.ceil(Math.log2(Math.max(leastRoom, positions))));
}

/** Texts that one side puts in and the other waits for. */
class Pieces {
  readonly #texts: string[] = [];
  #done: { readonly error?: Error } | undefined;
  #wake: () => void = () => undefined;

  /** @param last A last text that belongs to no token: none is put in when it is empty. */
  push(text: string, last = false): void {
    if (last && text === '') return;
    this.#texts.push(text);
    this.#wake();
  }

  finish(error?: unknown): void {
    this.#done = error === undefined ? {} : { error: error instanceof Error ? error : new Error(String(error)) };
    this.#wake();
  }

  async *read(): AsyncGenerator<string, void, undefined> {
    for (;;) {
      while (this.#texts.length > 0) yield this.#texts.shift()!;
      if (this.#done) {
        if (this.#done.error) throw this.#done.error;
        return;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
