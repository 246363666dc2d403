import {
  gather,
  input,
  joinAxes,
  logSoftmax,
  negate,
  reshape,
  symbol,
  takeAlong,
  type Graph,
  type Runtime,
} from '@user-llm/graph';
import type { Event } from '@user-llm/plugin';
import { Tensor } from '@user-llm/tensor';
import {
  allowedTokens,
  answerTokens,
  constrainedTitles,
  encodePrompt,
  eventInputs,
  historyFeeds,
  idsOf,
  modelGraph,
  onlyAllowed,
  ProgramPool,
  runOnHost,
  type TitleTrie,
  type TokenChoice,
  type UserLlmModel,
} from '@user-llm/user-llm';
import type { ModelInHand } from './model-in-hand.js';

// B batch, L tokens, D model width, R rows that predict, V vocabulary.

/** A question with an answer whose likelihood is wanted. */
export interface AnswerToScore {
  /** What the model is told of the user; nothing of nobody. */
  readonly history: readonly Event[];
  readonly instruction: string;
  readonly answer: string;
  /** Whether it is an item's title, so that it is a choice among titles where the model's config has them constrained. */
  readonly isTitle?: boolean;
}

/** Tokens about a user, of which the first ones are given. */
interface Sequence {
  readonly history: readonly Event[];
  readonly tokens: readonly number[];
  readonly given: number;
  /** Which of the others are predicted, counted from there. */
  readonly choices: readonly TokenChoice[];
}

/**
 * How likely a model finds answers: the mean negative log-likelihood per token that it chooses, the end included, in nats.
 */
export class AnswerLosses {
  readonly #held: ModelInHand;
  readonly #programs: ProgramPool;
  #titles: { readonly trie: TitleTrie | undefined } | undefined;
  #own: Promise<Runtime> | undefined;

  constructor(held: ModelInHand) {
    this.#held = held;
    const { runtime, weights } = held;
    const start = () => (runtime ? Promise.resolve(runtime) : (this.#own ??= startRuntime()));
    this.#programs = new ProgramPool(start, weights as unknown as Record<string, Tensor>);
  }

  /** One loss for each answer. */
  of(answers: readonly AnswerToScore[], signal?: AbortSignal): Promise<number[]> {
    const { textTokenizer, model, catalogue } = this.#held;
    const titles = (this.#titles ??= { trie: constrainedTitles(model.config, textTokenizer, catalogue) }).trie;
    const sequences = answers.map(({ history, instruction, answer, isTitle = false }): Sequence => {
      const prompt = encodePrompt(textTokenizer, instruction);
      const { tokens, choices } = answerTokens(textTokenizer, answer, isTitle ? titles : undefined);
      return { history, tokens: [...prompt, ...tokens], given: prompt.length, choices };
    });
    return this.#meanLosses(sequences, signal);
  }

  /**
   * One loss for each text that stands for itself, told of nobody: of all its tokens and the end, but for the first where
   * the LLM has no token to begin with.
   */
  async ofTexts(
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ readonly loss: number; readonly tokens: number }[]> {
    const { textTokenizer } = this.#held;
    const { opensWith, end } = textTokenizer;
    const given = Math.max(1, opensWith.length);
    const sequences = texts.map((text): Sequence => {
      const tokens = [...opensWith, ...textTokenizer.encode(text), end];
      return { history: [], tokens, given, choices: tokens.slice(given).map((_, at) => ({ at })) };
    });
    const losses = await this.#meanLosses(sequences, signal);
    return losses.map((loss, at) => ({ loss, tokens: sequences[at]!.tokens.length - given }));
  }

  /** The mean loss of the tokens of each sequence that are predicted; 0 where none is. */
  async #meanLosses(sequences: readonly Sequence[], signal?: AbortSignal): Promise<number[]> {
    const { model, eventTokenizer } = this.#held;
    const constrained = sequences.some(({ choices }) => choices.some(({ among }) => among));
    const program = await this.#programs.get(constrained ? 'losses of titles' : 'losses of answers', () =>
      lossGraph(model, constrained),
    );
    const longest = Math.max(...sequences.map(({ tokens }) => tokens.length));
    const all = new Int32Array(sequences.length * longest);
    sequences.forEach(({ tokens }, row) => all.set(tokens, row * longest));
    const each = <T>(of: (choice: TokenChoice, sequence: Sequence, row: number) => T): T[] =>
      sequences.flatMap((sequence, row) => sequence.choices.map((choice) => of(choice, sequence, row)));
    // A token is predicted at the place before it.
    const rows = each(({ at }, { given }, row) => row * longest + given - 1 + at);
    const labels = each(({ at }, { tokens, given }) => tokens[given + at]!);
    const feeds = {
      ...historyFeeds(
        model.features,
        sequences.map(({ history }) => idsOf(eventTokenizer, history, model.maximumEvents)),
      ),
      tokens: new Tensor('int32', ['batch', 'token'], [sequences.length, longest], all) as unknown as Tensor,
      rows: rowTensor(rows),
      labels: rowTensor(labels),
      ...(constrained && {
        allowed: allowedTokens(
          each((choice) => choice),
          model.llm.vocabularySize,
        ) as unknown as Tensor,
      }),
    };
    const { losses } = await runOnHost(program, feeds, signal);
    let next = 0;
    return sequences.map(({ choices }) => {
      const sum = choices.reduce((total) => total + Number(losses!.data[next++]), 0);
      return sum / Math.max(1, choices.length);
    });
  }

  /** Releases the program, and the runtime unless it was given. */
  async dispose(): Promise<void> {
    await this.#programs.dispose();
    await (await this.#own)?.dispose();
  }
}

async function startRuntime(): Promise<Runtime> {
  const { OnnxRuntime } = await import('@user-llm/runtime-onnx');
  return OnnxRuntime.create();
}

const rowTensor = (values: readonly number[]): Tensor =>
  new Tensor('int32', ['row'], [values.length], Int32Array.from(values)) as unknown as Tensor;

/** @param constrained Whether labels are chosen among the tokens that are allowed. */
function lossGraph(model: UserLlmModel, constrained: boolean): Graph {
  const { batch, inputs } = eventInputs(model.features, symbol('batch'), symbol('event'));
  const tokens = input('tokens', 'int32', ['batch', 'token'], [symbol('batch'), symbol('token')]);
  const rows = input('rows', 'int32', ['row'], [symbol('row')]);
  const labels = input('labels', 'int32', ['row'], [symbol('row')]);
  const { vocabularySize } = model.llm;
  const allowed = input('allowed', 'bool', ['row', 'vocabulary'], [symbol('row'), vocabularySize]);
  return modelGraph(model, [...inputs, tokens, rows, labels, ...(constrained ? [allowed] : [])], (tree) => {
    const hidden_BLD = model.hidden(tree, { tokens, context: model.userContext(tree, batch) });
    const flat = joinAxes(hidden_BLD, ['batch', 'token'], 'position', ['position', 'modelWidth']);
    const logits_RV = model.llm.logits(tree.llm as never, gather(flat, rows));
    const logs_RV = logSoftmax(constrained ? onlyAllowed(logits_RV, allowed) : logits_RV, 'vocabulary');
    const label_R1 = reshape(labels, ['row', 'vocabulary'], [symbol('row'), 1]);
    const losses = negate(takeAlong(logs_RV, label_R1, 'vocabulary'));
    return { losses: reshape(losses, ['row'], [symbol('row')]) };
  });
}
