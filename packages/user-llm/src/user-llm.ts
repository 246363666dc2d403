import type { Runtime } from '@user-llm/graph';
import type { JsonTokenizer } from '@user-llm/llm';
import type { Event, Item, UserState } from '@user-llm/plugin';
import { nextItemTask } from '@user-llm/tasks';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import { Answering } from './answers/answering.js';
import { bySide, contextsOf } from './answers/asked-users.js';
import { Choices } from './answers/choices.js';
import { userLlmRegistry } from './built-in-parts.js';
import { composeInputs } from './compose/compose-inputs.js';
import { composeUserLlm, type UserLlmModel } from './compose/compose.js';
import { requireSameSchema } from './config/same-schema.js';
import { parseUserLlmConfig } from './config/user-llm-config.js';
import { loadModel } from './directory/load-model.js';
import { saveModel } from './directory/save-model.js';
import { exportModel } from './export/export-model.js';
import { Decoders } from './inference/decoders.js';
import { ProgramPool } from './inference/program-pool.js';
import { ItemCatalogue, type Recommendation } from './model/catalogue.js';
import { encoderHashOf } from './model/encoder-hash.js';
import type { ModelParts } from './model/model-parts.js';
import { checkedWeights, initialWeights, type Weights } from './model/weights.js';
import { usedPlugins } from './plugins/used-plugins.js';
import type {
  CreateOptions,
  GenerateOptions,
  Question,
  RankTitlesOptions,
  RecommendOptions,
  UserLlmOptions,
} from './user-llm-options.js';
import { UserEncoding, type ContextValues, type User } from './user/user-encoding.js';

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
  readonly #answering: Answering;
  readonly #choices: Choices;

  private constructor(parts: ModelParts, { runtime, answersAtOnce = 8, bits, compact }: UserLlmOptions) {
    this.parts = parts;
    this.#runtime = () => (runtime ? Promise.resolve(runtime) : (this.#ownRuntime.started ??= startRuntime()));
    const { model, weights, eventTokenizer: tokenizer, encoderHash } = parts;
    this.#programs = new ProgramPool(this.#runtime, weights as unknown as Readonly<Record<string, Tensor>>);
    this.#users = new UserEncoding({ model, tokenizer, programs: this.#programs, encoderHash });
    this.#decoders = new Decoders(model, weights, this.#runtime, { bits, compact });
    this.#catalogue = new ItemCatalogue(parts.catalogue, tokenizer, model.config.item);
    this.#answering = new Answering(parts.textTokenizer, this.#decoders, answersAtOnce);
    this.#choices = new Choices(
      parts.textTokenizer,
      this.#decoders,
      parts.catalogue,
      model.config.titles === 'constrained',
    );
  }

  /**
   * Reads a model directory; see `loadModel` for what is checked.
   *
   * @throws UserLlmError as `loadModel`.
   */
  static async load(directory: string, options: UserLlmOptions = {}): Promise<UserLlm> {
    return new UserLlm(await loadModel(directory, options.plugins), options);
  }

  /**
   * Puts a model together.
   *
   * @throws UserLlmError `bad-config`, `vocabulary-mismatch`, `weights-mismatch`, `bad-catalogue`, `unknown-part`.
   */
  static create(options: CreateOptions): UserLlm {
    const { eventTokenizer, textTokenizer, catalogue, vectors, trainedOn, plugins = [] } = options;
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
      recommendPrompt: options.recommendPrompt ?? usualPrompt(),
      ...(trainedOn && { trainedOn }),
    };
    return new UserLlm(parts, options);
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
   * Writes the model as ONNX files with a manifest, for any onnxruntime; see `exportModel`.
   *
   * @throws UserLlmError as `exportModel`.
   */
  exportOnnx(directory: string): Promise<void> {
    return exportModel(directory, this.parts);
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
   *
   * @throws UserLlmError `not-finite` when the encoder's weights are broken, and as `context`.
   */
  async itemScores(users: readonly User[], signal?: AbortSignal): Promise<Float32Array[]> {
    const scores = await this.#users.itemScores(users, signal);
    return scores.map((each) => this.#catalogue.scoresOf(each));
  }

  /**
   * The answer to a question, one piece of text per token as they come, some of them empty. Answers that are asked for
   * at the same time are written together. Leaving the iteration early ends the answer.
   *
   * @throws UserLlmError `too-many-tokens` when the prompt leaves no room for an answer, `bad-argument` for options out of
   *   range, `aborted`, `not-finite` when the weights are broken, and as `context`.
   */
  async *generate(options: GenerateOptions): AsyncGenerator<string, void, undefined> {
    const { user: _, withoutUser: __, context: ___, ...question } = options;
    const [context] = await contextsOf([options], this.#users, options.signal);
    yield* this.#answering.generate({ ...question, ...(context && { context }) });
  }

  /** The whole answers to questions, written together: what evaluation uses. Each is as `generate` gives it. */
  async answers(questions: readonly GenerateOptions[]): Promise<string[]> {
    const signal = questions[0]?.signal;
    const contexts = await contextsOf(questions, this.#users, signal);
    const whole = questions.map(async (question, row) => {
      const { user: _, withoutUser: __, context: ___, ...asked } = question;
      const context = contexts[row];
      let text = '';
      for await (const piece of this.#answering.generate({ ...asked, ...(context && { context }) })) text += piece;
      return text.trimEnd();
    });
    return Promise.all(whole);
  }

  /**
   * How likely the LLM finds each of a few choices as the answer, such as the names of genres.
   *
   * @returns For each question natural logarithms of the choices' probabilities, in their order.
   * @throws UserLlmError `not-finite` when the weights are broken, `too-many-tokens`, and as `context`.
   */
  async scoreChoices(
    questions: readonly Question[],
    choices: readonly string[],
    signal?: AbortSignal,
  ): Promise<Float64Array[]> {
    return bySide(questions, this.#users, signal, (prompts, context) =>
      this.#choices.score(prompts, context, choices, signal),
    );
  }

  /**
   * The items whose titles the LLM finds likeliest as the answer to each question, best first; scores are natural
   * logarithms of probabilities, among titles where the config has them constrained. Only items of the catalogue come out.
   *
   * @throws UserLlmError `bad-argument`, `not-finite` when the weights are broken, `too-many-tokens`, and as `context`.
   */
  async rankTitles(questions: readonly Question[], options: RankTitlesOptions): Promise<Recommendation[][]> {
    const { count: k, beamWidth, exclude, signal } = options;
    const ranked = await bySide(questions, this.#users, signal, (prompts, context, rows) => {
      const omit = exclude && rows.map((row) => exclude[row]);
      const search = { k, ...(beamWidth !== undefined && { beamWidth }), ...(omit && { exclude: omit }) };
      return this.#choices.rank(prompts, context, search, signal);
    });
    return ranked.map((titles) =>
      titles.map(({ item, logLikelihood }) =>
        this.#catalogue.recommendation(this.#catalogue.placeOf(item)!, logLikelihood),
      ),
    );
  }

  /**
   * The best items for a user's next event, best first: by the encoder's scores of the whole catalogue, or by the LLM's
   * likelihood of their titles.
   *
   * @param count How many at most, from 1.
   * @throws UserLlmError `bad-argument`, `not-finite`, and as `context`.
   */
  async recommend(user: User, count: number, options: RecommendOptions = {}): Promise<Recommendation[]> {
    const { by = 'encoder', exclude = [], prompt = this.parts.recommendPrompt, beamWidth, signal } = options;
    requireArgument('count', 'a whole number from 1', count, Number.isInteger(count) && count >= 1);
    requireArgument('by', '"encoder" or "llm"', by, by === 'encoder' || by === 'llm');
    if (by === 'llm') {
      const search = { count, exclude: [new Set(exclude)], ...(beamWidth !== undefined && { beamWidth }) };
      const [ranked] = await this.rankTitles([{ user, prompt }], { ...search, ...(signal && { signal }) });
      return ranked!;
    }
    const [scores] = await this.itemScores([user], signal);
    return this.#catalogue.best(scores!, count, exclude);
  }

  /** Releases programs, and the runtime unless it was given. */
  async dispose(): Promise<void> {
    await this.#programs.dispose();
    await this.#decoders.dispose();
    const { started } = this.#ownRuntime;
    await (await started?.catch(() => undefined))?.dispose();
  }
}

/** The first wording of the task `next-item`. */
function usualPrompt(): string {
  const event = { user: '', item: '', time: 0 };
  return nextItemTask().example({ history: { user: '', events: [event, event] }, position: 1 }, new Map())!.instruction;
}

function isSeed(weights: CreateOptions['weights']): weights is { readonly seed: number } {
  return typeof weights['seed'] === 'number';
}

function requireArgument(what: string, expected: string, got: unknown, holds: boolean): void {
  if (!holds)
    throw new UserLlmError('bad-argument', {
      what,
      expected,
      got: typeof got === 'string' ? JSON.stringify(got) : String(got),
    });
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
