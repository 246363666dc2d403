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
  encodeAnswer,
  encodePrompt,
  eventInputs,
  historyFeeds,
  idsOf,
  modelGraph,
  ProgramPool,
  runOnHost,
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
}

/** Tokens about a user, of which the first ones are given. */
interface Sequence {
  readonly history: readonly Event[];
  readonly tokens: readonly number[];
  readonly given: number;
}

/** How likely a model finds answers: the mean negative log-likelihood per token, the end included, in nats. */
export class AnswerLosses {
  readonly #held: ModelInHand;
  readonly #programs: ProgramPool;
  #own: Promise<Runtime> | undefined;

  constructor(held: ModelInHand) {
    this.#held = held;
    const { runtime, weights } = held;
    const start = () => (runtime ? Promise.resolve(runtime) : (this.#own ??= startRuntime()));
    this.#programs = new ProgramPool(start, weights as unknown as Record<string, Tensor>);
  }

  /** One loss for each answer. */
  of(answers: readonly AnswerToScore[], signal?: AbortSignal): Promise<number[]> {
    const { textTokenizer } = this.#held;
    const sequences = answers.map(({ history, instruction, answer }): Sequence => {
      const prompt = encodePrompt(textTokenizer, instruction);
      return { history, tokens: [...prompt, ...encodeAnswer(textTokenizer, answer)], given: prompt.length };
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
    const sequences = texts.map((text): Sequence => ({
      history: [],
      tokens: [...opensWith, ...textTokenizer.encode(text), end],
      given,
    }));
    const losses = await this.#meanLosses(sequences, signal);
    return losses.map((loss, at) => ({ loss, tokens: sequences[at]!.tokens.length - given }));
  }

  /** The mean loss of the tokens of each sequence that are not given. */
  async #meanLosses(sequences: readonly Sequence[], signal?: AbortSignal): Promise<number[]> {
    const { model, eventTokenizer } = this.#held;
    const program = await this.#programs.get('losses of answers', () => lossGraph(model));
    const longest = Math.max(...sequences.map(({ tokens }) => tokens.length));
    const all = new Int32Array(sequences.length * longest);
    sequences.forEach(({ tokens }, row) => all.set(tokens, row * longest));
    const counts = sequences.map(({ tokens, given }) => tokens.length - given);
    // A token is predicted at the place before it.
    const rows = sequences.flatMap(({ given }, row) =>
      indices(counts[row]!).map((at) => row * longest + given - 1 + at),
    );
    const labels = sequences.flatMap(({ tokens, given }) => tokens.slice(given));
    const feeds = {
      ...historyFeeds(
        model.features,
        sequences.map(({ history }) => idsOf(eventTokenizer, history, model.maximumEvents)),
      ),
      tokens: new Tensor('int32', ['batch', 'token'], [sequences.length, longest], all) as unknown as Tensor,
      rows: rowTensor(rows),
      labels: rowTensor(labels),
    };
    const { losses } = await runOnHost(program, feeds, signal);
    let at = 0;
    return counts.map((count) => {
      const own = indices(count).map(() => Number(losses!.data[at++]));
      return own.reduce((sum, loss) => sum + loss, 0) / count;
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

const indices = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const rowTensor = (values: readonly number[]): Tensor =>
  new Tensor('int32', ['row'], [values.length], Int32Array.from(values)) as unknown as Tensor;

function lossGraph(model: UserLlmModel): Graph {
  const { batch, inputs } = eventInputs(model.features, symbol('batch'), symbol('event'));
  const tokens = input('tokens', 'int32', ['batch', 'token'], [symbol('batch'), symbol('token')]);
  const rows = input('rows', 'int32', ['row'], [symbol('row')]);
  const labels = input('labels', 'int32', ['row'], [symbol('row')]);
  return modelGraph(model, [...inputs, tokens, rows, labels], (tree) => {
    const hidden_BLD = model.hidden(tree, { tokens, context: model.userContext(tree, batch) });
    const flat = joinAxes(hidden_BLD, ['batch', 'token'], 'position', ['position', 'modelWidth']);
    const logs_RV = logSoftmax(model.llm.logits(tree.llm as never, gather(flat, rows)), 'vocabulary');
    const label_R1 = reshape(labels, ['row', 'vocabulary'], [symbol('row'), 1]);
    const losses = negate(takeAlong(logs_RV, label_R1, 'vocabulary'));
    return { losses: reshape(losses, ['row'], [symbol('row')]) };
  });
}
