import type { Runtime } from '@user-llm/graph';
import type { JsonTokenizer } from '@user-llm/llm';
import type { EncoderInputs, Event, Item, Plugin, UserState } from '@user-llm/plugin';
import type { EventTokenizer } from '@user-llm/tokenization';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import { userLlmRegistry } from './built-in-parts.js';
import { composeInputs } from './compose/compose-inputs.js';
import { composeUserLlm, type UserLlmModel } from './compose/compose.js';
import { requireSameSchema } from './config/same-schema.js';
import { parseUserLlmConfig, type UserLlmConfigInput } from './config/user-llm-config.js';
import { loadModel } from './directory/load-model.js';
import { saveModel } from './directory/save-model.js';
import { Decoders } from './inference/decoders.js';
import { ProgramPool } from './inference/program-pool.js';
import { ItemCatalogue, type Recommendation } from './model/catalogue.js';
import { encoderHashOf } from './model/encoder-hash.js';
import type { ModelParts } from './model/model-parts.js';
import { usedPlugins } from './model/used-plugins.js';
import { checkedWeights, initialWeights, type Weights } from './model/weights.js';
import { UserEncoding, type ContextValues, type User } from './user/user-encoding.js';

/** What a User-LLM runs on, and which plugins it is made of. */
export interface UserLlmOptions {
  /** What it runs on; it stays the caller's. ONNX Runtime, started when first needed, when absent. */
  readonly runtime?: Runtime;
  /** Plugins that the config's parts come from, beside our own. */
  readonly plugins?: readonly Plugin[];
}

/** What a User-LLM is made of. */
export interface CreateOptions extends UserLlmOptions {
  readonly config: UserLlmConfigInput;
  /** Fitted on the events of the config. */
  readonly eventTokenizer: EventTokenizer;
  /** As `loadTokenizer` of `@user-llm/llm` reads it. */
  readonly textTokenizer: JsonTokenizer;
  /** The items that may be recommended. */
  readonly catalogue: readonly Item[];
  /** All parameters by full name, or a seed to draw them from. */
  readonly weights: Readonly<Record<string, Tensor>> | { readonly seed: number };
  /** Vectors known of a feature's ids beforehand, as the encoder takes them. */
  readonly vectors?: EncoderInputs['vectors'];
}

/** How items are ranked. */
export interface RecommendOptions {
  /** By the encoder's scores of the whole catalogue (when absent), or by the LLM's likelihood of their titles. */
  readonly by?: 'encoder' | 'llm';
  /** Items to leave out, such as those seen. */
  readonly exclude?: Iterable<string>;
  readonly signal?: AbortSignal;
}

/**
 * A User-LLM in hand: users to states, questions to answers.
 *
 * A history longer than `model.maximumEvents` counts by its last events. An empty one is a user of whom nothing is known:
 * cross-attention then adds exactly nothing to the LLM.
 */
export class UserLlm {
  readonly parts: ModelParts;
  readonly #runtime: () => Promise<Runtime>;
  readonly #ownRuntime: { started?: Promise<Runtime> } = {};
  readonly #programs: ProgramPool;
  readonly #users: UserEncoding;
  readonly #decoders: Decoders;
  readonly #catalogue: ItemCatalogue;

  private constructor(parts: ModelParts, runtime?: Runtime) {
    this.parts = parts;
    this.#runtime = () => (runtime ? Promise.resolve(runtime) : (this.#ownRuntime.started ??= startRuntime()));
    const { model, weights, eventTokenizer: tokenizer, encoderHash } = parts;
    this.#programs = new ProgramPool(this.#runtime, weights as unknown as Readonly<Record<string, Tensor>>);
    this.#users = new UserEncoding({ model, tokenizer, programs: this.#programs, encoderHash });
    this.#decoders = new Decoders(model, weights, this.#runtime);
    this.#catalogue = new ItemCatalogue(parts.catalogue, tokenizer, model.config.item);
  }

  /**
   * Reads a model directory; see `loadModel` for what is checked.
   *
   * @throws UserLlmError as `loadModel`.
   */
  static async load(directory: string, { runtime, plugins = [] }: UserLlmOptions = {}): Promise<UserLlm> {
    return new UserLlm(await loadModel(directory, plugins), runtime);
  }

  /**
   * Puts a model together.
   *
   * @throws UserLlmError `bad-config`, `vocabulary-mismatch`, `weights-mismatch`, `bad-catalogue`, `unknown-part`.
   */
  static create(options: CreateOptions): UserLlm {
    const { eventTokenizer, textTokenizer, catalogue, vectors, plugins = [], runtime } = options;
    const config = parseUserLlmConfig(options.config);
    requireSameSchema(config.events, eventTokenizer.schema);
    const registry = userLlmRegistry(plugins);
    const model = composeUserLlm(config, composeInputs(eventTokenizer, config.item, registry, vectors));
    requireVocabulary(model, textTokenizer);
    const weights = isSeed(options.weights)
      ? initialWeights(model, options.weights.seed)
      : checkedWeights(model, options.weights);
    const parts: ModelParts = {
      model,
      weights,
      eventTokenizer,
      textTokenizer,
      catalogue: [...catalogue],
      ...(vectors && { vectors }),
      encoderHash: encoderHashOf(model, weights, eventTokenizer.hash, vectors),
      plugins: usedPlugins(registry, config),
    };
    return new UserLlm(parts, runtime);
  }

  /** The composed model. */
  get model(): UserLlmModel {
    return this.parts.model;
  }

  /** All parameters by full name. */
  get weights(): Weights {
    return this.parts.weights;
  }

  /** Hash of the encoder and its vocabularies, which states carry. */
  get encoderHash(): string {
    return this.parts.encoderHash;
  }

  /** The items that may be recommended, in a fixed order. */
  get catalogue(): readonly Item[] {
    return this.parts.catalogue;
  }

  /**
   * Writes a model directory, whole or not at all.
   *
   * @throws UserLlmError as `saveModel`.
   */
  save(directory: string): Promise<void> {
    return saveModel(directory, this.parts);
  }

  /**
   * The state of one user, out of their events in any order; the last `model.maximumEvents` count.
   *
   * @param options `appendable`: whether what the encoder needs to append an event is kept too (some hundreds of kB for
   *   long histories); without it `append` reads the kept events again, once.
   * @throws UserLlmError `several-users`, `bad-event`.
   */
  encode(events: readonly Event[], { appendable = true }: { readonly appendable?: boolean } = {}): Promise<UserState> {
    return this.#users.encode(events, appendable);
  }

  /**
   * The state with further events of the user, equal within rounding to that of the whole history. Up to
   * `model.maximumEvents` the history is not read again; beyond, its window of last events is, since each event then
   * stands at another position.
   *
   * @throws UserLlmError `encoder-mismatch` for a state of another encoder, `bad-user-state`, `events-out-of-order` when
   *   an event was before the last known one, `several-users`, `bad-event`.
   */
  append(state: UserState, events: readonly Event[]): Promise<UserState> {
    return this.#users.append(state, events);
  }

  /**
   * What the LLM reads of a user, `[1, ...]` each: the same for every question, so keep it.
   *
   * @param user Nobody when absent: a user of whom nothing is known.
   * @throws UserLlmError as `append` for states, as `encode` for histories.
   */
  context(user: User = [], signal?: AbortSignal): Promise<ContextValues> {
    return this.contexts([user], signal);
  }

  /** As `context` for several users at once, `[user, ...]` each. */
  contexts(users: readonly User[], signal?: AbortSignal): Promise<ContextValues> {
    return this.#users.contexts(users, signal);
  }

  /**
   * The encoder's scores of the catalogue for each user's next event, in the catalogue's order; minus infinity for items
   * that the encoder has never seen.
   */
  async itemScores(users: readonly User[], signal?: AbortSignal): Promise<Float32Array[]> {
    const scores = await this.#users.itemScores(users, signal);
    return scores.map((each) => this.#catalogue.scoresOf(each));
  }

  /**
   * The best items for a user's next event, best first.
   *
   * @param count How many at most.
   * @throws UserLlmError as `context`.
   */
  async recommend(user: User, count: number, options: RecommendOptions = {}): Promise<Recommendation[]> {
    const { exclude = [], signal } = options;
    const [scores] = await this.itemScores([user], signal);
    return this.#catalogue.best(scores!, count, exclude);
  }

  /** Releases programs, and the runtime unless it was given. */
  async dispose(): Promise<void> {
    await this.#programs.dispose();
    await this.#decoders.dispose();
    const { started } = this.#ownRuntime;
    if (started) await (await started).dispose();
  }
}

function isSeed(weights: CreateOptions['weights']): weights is { readonly seed: number } {
  return typeof weights['seed'] === 'number';
}

/** ONNX Runtime, loaded when it is first needed. */
async function startRuntime(): Promise<Runtime> {
  const { OnnxRuntime } = await import('@user-llm/runtime-onnx');
  return OnnxRuntime.create();
}

function requireVocabulary({ llm }: UserLlmModel, { vocabularySize }: JsonTokenizer): void {
  if (vocabularySize <= llm.vocabularySize) return;
  throw new UserLlmError('vocabulary-mismatch', {
    what: 'text tokenizer',
    expected: `at most ${llm.vocabularySize} tokens, those of the LLM's config`,
    got: `${vocabularySize}`,
    mend: "Take the LLM's own tokenizer, or set vocabularySize in its config.",
  });
}
