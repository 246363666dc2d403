import { StopWatch } from '@user-llm/llm';
import type { UserKey } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import type { Question } from '../http/completion-requests.js';
import type { UserModel } from '../user-model.js';
import type { ContextCache } from '../users/context-cache.js';
import type { Users } from '../users/users.js';
import type { AdmissionQueue } from './admission-queue.js';
import type { Metrics } from './metrics.js';
import { unlessAborted } from './unless-aborted.js';

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
  /** `length` when the answer was cut at the tokens asked for, or at the end of the LLM's room. */
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
   * @throws UserLlmError `too-many-tokens`, `user-not-found` unless the question allows for it, `queue-full`, and the
   *   signal's reason as soon as it aborts, whether the model heeds it or not.
   */
  async start(tenant: string, question: Question, signal: AbortSignal): Promise<Answer> {
    const { queue, metrics, model } = this.#options;
    const begin = performance.now();
    const { prompt, messages, maximumTokens, stop, sampling } = question;
    if (prompt.length > (model.longestPrompt ?? Infinity)) throw tooLong(`${prompt.length} characters`, model);
    const release = await queue.enter(signal);
    let tokens: AsyncIterator<string, unknown> | undefined;
    const end = () => {
      // Nobody waits for it: a model that does not heed its signal comes to its end when it likes.
      tokens?.return?.().catch(() => undefined);
      release();
    };
    try {
      const { context, ...known } = await unlessAborted(signal, this.#context(tenant, question));
      const promptTokens = model.countTokens(prompt, messages);
      const room = (model.maximumTokens ?? Infinity) - promptTokens;
      if (room < 1) throw tooLong(`${promptTokens} tokens`, model);
      const most = Math.min(maximumTokens, room);
      const asked = { context, prompt, ...(messages && { messages }), maximumTokens: most, ...sampling, signal };
      tokens = model.generate(asked)[Symbol.asyncIterator]();
      const first = await unlessAborted(signal, tokens.next());
      metrics.tokens('prompt', promptTokens);
      if (!first.done) metrics.token(true, performance.now() - begin);
      const progress: Progress = { tokens: 0, stopped: false };
      const texts = this.#texts(first, tokens, new StopWatch(stop), progress, signal, end);
      return {
        ...known,
        promptTokens,
        texts,
        get completionTokens() {
          return progress.tokens;
        },
        get finishReason() {
          return !progress.stopped && progress.tokens >= most ? ('length' as const) : ('stop' as const);
        },
        close: async () => {
          await texts.return();
          end();
        },
      };
    } catch (error) {
      end();
      throw error;
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
    watch: StopWatch,
    progress: Progress,
    signal: AbortSignal,
    end: () => void,
  ): AsyncGenerator<string, void, undefined> {
    const { metrics } = this.#options;
    const count = () => {
      progress.tokens++;
      metrics.tokens('completion', 1);
    };
    try {
      for (let next = first; !next.done;) {
        // The last text is then of no token, which the next one tells.
        const broken = next.value.endsWith('\ufffd');
        if (!broken) count();
        const { text, stopped } = watch.push(next.value);
        progress.stopped = stopped;
        yield text;
        if (stopped) return;
        const before = performance.now();
        next = await unlessAborted(signal, tokens.next());
        if (!next.done) {
          if (broken) count();
          metrics.token(false, performance.now() - before);
        }
      }
      yield watch.end();
    } finally {
      end();
    }
  }
}

/** How far an answer has come. */
interface Progress {
  tokens: number;
  /** Whether a text that ends the answer has come. */
  stopped: boolean;
}

/** The error for a prompt that leaves no room for an answer. */
function tooLong(got: string, { maximumTokens }: Pick<UserModel, 'maximumTokens'>): UserLlmError {
  return new UserLlmError('too-many-tokens', {
    what: 'prompt',
    expected: `fewer than ${maximumTokens} tokens, so that there is room for an answer`,
    got,
    mend: 'Shorten the prompt.',
  });
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
