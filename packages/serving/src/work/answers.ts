import type { UserKey } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import type { Question } from '../http/completion-requests.js';
import type { UserModel } from '../user-model.js';
import type { ContextCache } from '../users/context-cache.js';
import type { Users } from '../users/users.js';
import type { AdmissionQueue } from './admission-queue.js';
import type { Metrics } from './metrics.js';

/** An answer whose first token is there. */
export interface Answer {
  /** Events known of the user; nothing when nobody is asked about. */
  readonly events?: number;
  /** Whether the user's context was cached; nothing when nobody is asked about. */
  readonly cached?: boolean;
  readonly promptTokens: number;
  /** The text, token by token; to be read once. */
  readonly texts: AsyncGenerator<string, void, undefined>;
  /** Tokens so far. */
  readonly completionTokens: number;
  /** `length` when the answer was cut at the tokens asked for. */
  readonly finishReason: 'stop' | 'length';
  /** Stops the model and gives the place in the queue back; reading `texts` to the end does too. */
  close(): Promise<void>;
}

/** What answers are made with. */
export interface AnswersOptions<Context> {
  readonly model: UserModel<Context>;
  readonly users: Users;
  readonly contexts: ContextCache<Context>;
  readonly queue: AdmissionQueue;
  readonly metrics: Metrics;
}

/** Answers questions about users: waits for a place, finds the user, takes or makes the context, generates. */
export class Answers<Context> {
  readonly #options: AnswersOptions<Context>;

  constructor(options: AnswersOptions<Context>) {
    this.#options = options;
  }

  /**
   * Starts an answer, up to its first token.
   *
   * @throws UserLlmError `user-not-found` unless the question allows for it, `queue-full`, and the signal's reason.
   */
  async start(tenant: string, question: Question, signal: AbortSignal): Promise<Answer> {
    const { queue, metrics, model } = this.#options;
    const begin = performance.now();
    const release = await queue.enter(signal);
    let tokens: AsyncIterator<string, unknown> | undefined;
    const end = async () => {
      try {
        await tokens?.return?.();
      } finally {
        release();
      }
    };
    try {
      const { context, ...known } = await this.#context(tenant, question);
      signal.throwIfAborted();
      const promptTokens = model.countTokens(question.prompt, question.messages);
      tokens = model
        .generate({
          context,
          prompt: question.prompt,
          ...(question.messages && { messages: question.messages }),
          maximumTokens: question.maximumTokens,
          ...question.sampling,
          ...(question.stop.length > 0 && { stop: question.stop }),
          signal,
        })
        [Symbol.asyncIterator]();
      const first = await tokens.next();
      signal.throwIfAborted();
      metrics.tokens('prompt', promptTokens);
      if (!first.done) metrics.token(true, performance.now() - begin);
      const progress = { tokens: 0 };
      const most = Math.min(question.maximumTokens, model.answerRoom?.(question.prompt, question.messages) ?? Infinity);
      const texts = this.#texts(first, tokens, progress, signal, end);
      return {
        ...known,
        promptTokens,
        texts,
        get completionTokens() {
          return progress.tokens;
        },
        get finishReason() {
          return progress.tokens >= most ? ('length' as const) : ('stop' as const);
        },
        close: async () => {
          await texts.return();
          await end();
        },
      };
    } catch (error) {
      await end();
      // What broke it off says more than how the model puts it.
      throw signal.aborted ? (signal.reason as Error) : error;
    }
  }

  async #context(
    tenant: string,
    { user, allowAnonymous }: Question,
  ): Promise<{ context: Context; events?: number; cached?: boolean }> {
    const { model, users, contexts, metrics } = this.#options;
    if (user === undefined) return { context: await model.context(undefined) };
    const key: UserKey = { tenant, user };
    const { epoch } = contexts;
    const record = await users.find(key);
    if (!record) {
      if (allowAnonymous) return { context: await model.context(undefined) };
      throw userNotFound();
    }
    const { context, hit } = await contexts.of(key, record, epoch);
    metrics.context(hit);
    return { context, events: record.watermark, cached: hit };
  }

  async *#texts(
    first: IteratorResult<string, unknown>,
    tokens: AsyncIterator<string, unknown>,
    progress: { tokens: number },
    signal: AbortSignal,
    end: () => Promise<void>,
  ): AsyncGenerator<string, void, undefined> {
    const { metrics } = this.#options;
    try {
      for (let next = first; !next.done;) {
        progress.tokens++;
        metrics.tokens('completion', 1);
        yield next.value;
        const before = performance.now();
        next = await tokens.next();
        signal.throwIfAborted();
        if (!next.done) metrics.token(false, performance.now() - before);
      }
    } catch (error) {
      throw signal.aborted ? (signal.reason as Error) : error;
    } finally {
      await end();
    }
  }
}

/** The error for a user of whom the server knows nothing. */
export function userNotFound(): UserLlmError {
  return new UserLlmError('user-not-found', {
    what: 'user',
    expected: 'a user with a history',
    got: 'one who is unknown or was deleted',
    mend: 'Append events at POST /v1/users/{user}/events, or send "allow_anonymous": true.',
  });
}
