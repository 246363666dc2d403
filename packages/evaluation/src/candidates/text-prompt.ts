import type { Catalogue, Example } from '@user-llm/plugin';
import { promptOf, type HistoryField, type Prompt } from '@user-llm/tasks';
import { encodeAnswer, encodePrompt } from '@user-llm/user-llm';
import type { EvaluationData } from '../data/evaluation-data.js';
import type { Candidate } from './candidate.js';
import { languageCandidate, type AnsweringModel, type LanguageOptions } from './language.js';

/** What is told of a history in words. */
export interface TextPromptOptions extends LanguageOptions {
  /** Last events told at most: those that fit. */
  readonly lastEvents: number;
  /** What is told of each event beside its title; categories and rating when absent, as in training. */
  readonly fields?: readonly HistoryField[];
}

/** The same LLM without embeddings: the last events stand in its prompt in words, as many as fit. */
export function textPromptCandidate(
  data: Pick<EvaluationData, 'catalogue' | 'places'>,
  userLlm: AnsweringModel,
  options: TextPromptOptions,
): Candidate {
  const { lastEvents, fields, name = `text prompt, last ${lastEvents} events` } = options;
  const prompts = new HistoryPrompts(userLlm, data.catalogue, fields);
  return languageCandidate(
    data,
    userLlm,
    {
      name,
      description: `the LLM without embeddings; up to ${lastEvents} last events stand in its prompt`,
      put: ({ example }) => ({ withoutUser: true, prompt: prompts.of(example, lastEvents).text }),
    },
    options,
  );
}

/** Histories in words that leave an LLM room for an answer. */
export class HistoryPrompts {
  readonly #model: Pick<AnsweringModel, 'model' | 'parts'>;
  readonly #catalogue: Catalogue;
  readonly #fields: readonly HistoryField[] | undefined;
  #room: number | undefined;

  constructor(model: Pick<AnsweringModel, 'model' | 'parts'>, catalogue: Catalogue, fields?: readonly HistoryField[]) {
    this.#model = model;
    this.#catalogue = catalogue;
    this.#fields = fields;
  }

  /**
   * The last events of an example's history in words, and its instruction.
   *
   * @throws UserLlmError `token-budget-too-small` when the instruction alone does not fit.
   */
  of(example: Example, lastEvents: number): Prompt {
    const whole = promptOf(example, this.#catalogue, { lastEvents }, this.#fields);
    const room = (this.#room ??= this.#roomForPrompts());
    if (this.#count(whole.text) <= room) return whole;
    const last = { ...example, history: example.history.slice(-lastEvents) };
    const countTokens = (text: string) => this.#count(text);
    return promptOf(last, this.#catalogue, { tokenBudget: room, countTokens }, this.#fields);
  }

  #count(text: string): number {
    return encodePrompt(this.#model.parts.textTokenizer, text).length;
  }

  /** Tokens of the LLM that the longest title leaves, and at least half of them. */
  #roomForPrompts(): number {
    const { textTokenizer } = this.#model.parts;
    const { maximumTokens } = this.#model.model.llm;
    let longest = 0;
    for (const { item, title } of this.#catalogue.values()) {
      longest = Math.max(longest, encodeAnswer(textTokenizer, title ?? item).length);
    }
    return maximumTokens - Math.min(longest, Math.floor(maximumTokens / 2));
  }
}
