import type { Catalogue, Example, TextTokenizer } from '@user-llm/plugin';
import { promptOf, type HistoryField } from '@user-llm/tasks';
import { answerTokens, encodePrompt, type TitleTrie, type TokenChoice } from '@user-llm/user-llm';

/** How an example is put to the model. */
export type ExampleForm =
  /** The instruction alone, or nothing; the history comes as the user's context. */
  | { readonly kind: 'context'; readonly instruction?: boolean | undefined }
  /** The last events in words before the instruction, and no context: the text-prompt baseline. */
  | { readonly kind: 'text'; readonly lastEvents: number; readonly fields: readonly HistoryField[] };

/** An example as tokens. */
export interface TokenExample {
  /** What the model reads: all tokens but the last. */
  readonly tokens: readonly number[];
  /** Where it predicts the answer: the position of its first token's predecessor. */
  readonly from: number;
  /** The answer's tokens, its end included; of a constrained answer those up to the last that is a choice. */
  readonly answer: readonly number[];
  /** Those of them that are predicted; the others are given. */
  readonly choices: readonly TokenChoice[];
}

/**
 * An example as tokens, `maximumTokens` at most: of the history as many of the last events as fit are told, and an answer
 * that is too long is cut at its end.
 *
 * @param titles What the answer is chosen among, where it is constrained.
 * @throws UserLlmError `token-budget-too-small` when not even the instruction fits.
 */
export function tokenExample(
  example: Example,
  form: ExampleForm,
  tokenizer: TextTokenizer,
  catalogue: Catalogue,
  maximumTokens: number,
  titles?: TitleTrie,
): TokenExample {
  const { tokens: answer, choices } = answerTokens(tokenizer, example.target, titles);
  const room = maximumTokens + 1 - Math.min(answer.length, Math.max(1, Math.floor(maximumTokens / 2)));
  const prompt = promptTokens(example, form, tokenizer, catalogue, room);
  const kept = answer.slice(0, maximumTokens + 1 - prompt.length);
  return {
    tokens: [...prompt, ...kept.slice(0, -1)],
    from: prompt.length - 1,
    answer: kept,
    choices: choices.filter(({ at }) => at < kept.length),
  };
}

function promptTokens(
  example: Example,
  form: ExampleForm,
  tokenizer: TextTokenizer,
  catalogue: Catalogue,
  room: number,
): number[] {
  const countTokens = (text: string): number => encodePrompt(tokenizer, text).length;
  if (form.kind === 'text') {
    const { lastEvents, fields } = form;
    const tokens = encodePrompt(tokenizer, promptOf(example, catalogue, { lastEvents }, fields).text);
    if (tokens.length <= room) return tokens;
    const last = { ...example, history: example.history.slice(Math.max(0, example.history.length - lastEvents)) };
    return encodePrompt(tokenizer, promptOf(last, catalogue, { tokenBudget: room, countTokens }, fields).text);
  }
  const tokens = encodePrompt(tokenizer, form.instruction === false ? '' : example.instruction);
  return tokens.length <= room ? tokens : tokens.slice(0, 1).concat(tokens.slice(tokens.length - room + 1));
}
