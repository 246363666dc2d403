import type { Event, UserState } from '@user-llm/plugin';
import type { EventTokenizer } from '@user-llm/tokenization';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import type { UserLlmModel } from '../compose/compose.js';
import { eventNames } from '../events/event-batch.js';
import { historyFeeds, idsOf, joinIds, maskOf, type EventIds } from '../events/history.js';
import { appendGraph, contextGraph, encodeGraph, itemScoresGraph, userNames } from '../inference/graphs.js';
import { runOnHost, type ProgramPool } from '../inference/program-pool.js';
import { rowsInto, rowOf } from '../inference/rows.js';
import { packUserState, unpackUserState, type UserContents } from './user-state.js';

// B batch, T events, E user width, N ids of the item feature.

/** A user as questions are asked about: a state, or a history. */
export type User = UserState | readonly Event[];

/** What the LLM reads of one user or several, by the names of the fusion's context; each has a `batch` axis first. */
export type ContextValues = Readonly<Record<string, Tensor>>;

/** Histories that are encoded at one time. */
const usersAtOnce = 64;

/** What encodes users. */
export interface UserEncodingInputs {
  readonly model: UserLlmModel;
  readonly tokenizer: EventTokenizer;
  readonly programs: ProgramPool;
  /** Hash of the encoder and its vocabularies. */
  readonly encoderHash: string;
}

/** Users to states, contexts and scores. */
export class UserEncoding {
  readonly #inputs: UserEncodingInputs;

  constructor(inputs: UserEncodingInputs) {
    this.#inputs = inputs;
  }

  /** See `UserLlm.encode`. */
  async encode(events: readonly Event[], appendable: boolean): Promise<UserState> {
    const { model, tokenizer } = this.#inputs;
    const { seen, ...read } = idsOf(tokenizer, events, model.maximumEvents);
    return this.#pack(await this.#opened({ ...read, watermark: seen }, appendable));
  }

  /** See `UserLlm.append`. */
  async append(state: UserState, events: readonly Event[]): Promise<UserState> {
    const { model, tokenizer } = this.#inputs;
    const before = this.open(state);
    if (events.length === 0) return state;
    const added = idsOf(tokenizer, events, model.maximumEvents, before.lastTime);
    const ids = joinIds(model.features, before, added, model.maximumEvents);
    const next = { ...ids, lastTime: added.lastTime!, watermark: before.watermark + added.seen };
    const fits = before.length + added.length <= model.maximumEvents;
    const appends = model.encoder.appender !== undefined && added.length === added.seen && fits;
    if (!appends || (before.length > 0 && !before.kept)) return this.#pack(await this.#opened(next, true));
    const grown = await this.#grow(before, added);
    const data = new Float32Array(ids.length * model.encoder.userWidth);
    data.set(before.embeddings.data);
    data.set(grown.embeddings.data, before.embeddings.size);
    const embeddings = new Tensor('float32', ['event', 'userWidth'], [ids.length, model.encoder.userWidth], data);
    const full = ids.length === model.maximumEvents;
    return this.#pack({ ...next, embeddings, ...(!full && { kept: grown.kept }) });
  }

  /** Opens a state. */
  open(state: UserState): UserContents {
    const { model, encoderHash } = this.#inputs;
    return unpackUserState(model, encoderHash, state);
  }

  /** What the LLM reads of users, one row each. */
  async contexts(users: readonly User[], signal?: AbortSignal): Promise<ContextValues> {
    const { model, programs } = this.#inputs;
    const chunks: ContextValues[] = [];
    const program = await programs.get('context', () => contextGraph(model));
    for (const opened of await this.#openAll(users, signal)) {
      const results = await runOnHost(program, this.#embeddingFeeds(opened), signal);
      const named = Object.entries(results).map(([name, tensor]) => [name.slice(userNames.context('').length), tensor]);
      chunks.push(Object.fromEntries(named) as ContextValues);
    }
    return rowsInto(chunks);
  }

  /** Scores of the ids of the item feature for each user's next event, `[N]` each. */
  async itemScores(users: readonly User[], signal?: AbortSignal): Promise<Float32Array[]> {
    const { model, programs } = this.#inputs;
    const program = await programs.get('item scores', () => itemScoresGraph(model));
    const scores: Float32Array[] = [];
    for (const opened of await this.#openAll(users, signal)) {
      const feeds = model.encoder.itemScores ? this.#lastFeeds(opened) : historyFeeds(model.features, opened);
      const { [userNames.scores]: all } = await runOnHost(program, feeds, signal);
      requireFinite(all!.data as Float32Array);
      opened.forEach((_, row) => scores.push(rowOf(all as Tensor<'float32'>, row)));
    }
    return scores;
  }

  /** The users opened, in chunks; histories are encoded. */
  async #openAll(users: readonly User[], signal?: AbortSignal): Promise<UserContents[][]> {
    const { model, tokenizer } = this.#inputs;
    const chunks: UserContents[][] = [];
    for (let at = 0; at < users.length; at += usersAtOnce) {
      const opened = users.slice(at, at + usersAtOnce).map((user) => {
        if (!isHistory(user)) return this.open(user);
        const { seen, ...ids } = idsOf(tokenizer, user, model.maximumEvents);
        return { ...ids, watermark: seen };
      });
      chunks.push(await this.#withEmbeddings(opened, signal));
    }
    return chunks;
  }

  async #withEmbeddings(
    users: readonly (Omit<UserContents, 'embeddings'> & Partial<UserContents>)[],
    signal?: AbortSignal,
  ): Promise<UserContents[]> {
    const { model, programs } = this.#inputs;
    const { userWidth } = model.encoder;
    const missing = users.filter(({ embeddings, length }) => !embeddings && length > 0);
    const made = new Map<object, Float32Array>();
    if (missing.length > 0) {
      const program = await programs.get('encode', () => encodeGraph(model));
      const { [userNames.events]: all } = await runOnHost(program, historyFeeds(model.features, missing), signal);
      missing.forEach((user, row) =>
        made.set(user, rowOf(all as Tensor<'float32'>, row).subarray(0, user.length * userWidth)),
      );
    }
    return users.map((user) => {
      const data = made.get(user) ?? new Float32Array(0);
      const embeddings =
        user.embeddings ?? new Tensor('float32', ['event', 'userWidth'], [user.length, userWidth], data);
      return { ...user, embeddings };
    });
  }

  /** Embeddings of a history, with what appending needs where there is room for more. */
  async #opened(ids: Omit<UserContents, 'embeddings' | 'kept'>, appendable: boolean): Promise<UserContents> {
    const { model } = this.#inputs;
    const room = ids.length > 0 && ids.length < model.maximumEvents;
    if (!appendable || !room || !model.encoder.appender) return (await this.#withEmbeddings([ids]))[0]!;
    return { ...ids, ...(await this.#grow(undefined, ids)) };
  }

  /** New events behind those before, by what the encoder keeps. */
  async #grow(
    before: UserContents | undefined,
    added: EventIds,
  ): Promise<Pick<UserContents, 'embeddings'> & { readonly kept: NonNullable<UserContents['kept']> }> {
    const { model, programs } = this.#inputs;
    const program = await programs.get('append', () => appendGraph(model));
    const { [eventNames.mask]: _, ...features } = historyFeeds(model.features, [added]);
    const specs = Object.entries(model.encoder.appender!.state);
    const state = specs.map(([name, { axes, shape }]) => {
      const data = before?.kept?.[name]?.data;
      return [userNames.kept(name), new Tensor('float32', ['batch', ...axes], [1, ...shape], data)] as const;
    });
    const lengths = new Tensor('int32', ['batch'], [1], Int32Array.of(before?.length ?? 0)) as unknown as Tensor;
    const results = await runOnHost(program, {
      ...features,
      [userNames.lengths]: lengths,
      ...(Object.fromEntries(state) as unknown as Record<string, Tensor>),
    });
    const kept = specs.map(([name, { axes, shape }]) => {
      const data = results[userNames.keptNext(name)]!.data as Float32Array;
      return [name, new Tensor('float32', axes, shape, data)] as const;
    });
    const data = results[userNames.events]!.data as Float32Array;
    return {
      embeddings: new Tensor('float32', ['event', 'userWidth'], [added.length, model.encoder.userWidth], data),
      kept: Object.fromEntries(kept),
    };
  }

  #embeddingFeeds(users: readonly UserContents[]): Record<string, Tensor> {
    const { model } = this.#inputs;
    // The same number of events for all, so that contexts of different users fit side by side.
    const events = model.maximumEvents;
    const width = model.encoder.userWidth;
    const all = new Float32Array(users.length * events * width);
    users.forEach(({ embeddings }, row) => all.set(embeddings.data, row * events * width));
    const embeddings = new Tensor('float32', ['batch', 'event', 'userWidth'], [users.length, events, width], all);
    const lengths = users.map(({ length }) => length);
    return { [userNames.events]: embeddings as unknown as Tensor, [eventNames.mask]: maskOf(lengths, events) };
  }

  #lastFeeds(users: readonly UserContents[]): Record<string, Tensor> {
    const width = this.#inputs.model.encoder.userWidth;
    const last = new Float32Array(users.length * width);
    users.forEach(({ embeddings, length }, row) => {
      if (length > 0) last.set(embeddings.data.subarray((length - 1) * width, length * width), row * width);
    });
    return {
      [userNames.last]: new Tensor('float32', ['batch', 'userWidth'], [users.length, width], last) as unknown as Tensor,
    };
  }

  #pack(contents: UserContents): Promise<UserState> {
    const { model, encoderHash } = this.#inputs;
    return packUserState(model.features, model.encoder.appender, encoderHash, contents);
  }
}

/** Checks scores of items; minus infinity stands for what must not come out. @throws UserLlmError `not-finite`. */
function requireFinite(scores: Float32Array): void {
  const broken = scores.find((score) => !(score < Infinity));
  if (broken === undefined) return;
  throw new UserLlmError('not-finite', {
    what: 'scores of items',
    expected: 'numbers',
    got: `${broken}`,
    mend: "The encoder's weights are broken: take those of an earlier checkpoint.",
  });
}

/** Whether a user is a history rather than a state. */
export function isHistory(user: User): user is readonly Event[] {
  return Array.isArray(user);
}
