import { encodePrompt, type GenerateOptions } from '@user-llm/user-llm';
import type { AnsweringModel } from '../candidates/language.js';
import { HistoryPrompts } from '../candidates/text-prompt.js';
import type { EvaluationData } from '../data/evaluation-data.js';
import type { TestQuestion } from '../protocol/questions.js';
import type { CostMeasurement } from '../report/report.js';
import { answerFlops } from './answer-flops.js';
import { timeAnswer, type TimingOptions } from './time-answer.js';

/** What is measured. */
export interface CostOptions extends TimingOptions {
  /** Events of the histories; 10, 50 and 256 when absent. Those longer than the longest history are left out. */
  readonly historyEvents?: readonly number[];
  /** Tokens of an answer at most; 16 when absent. */
  readonly maximumTokens?: number;
  readonly signal?: AbortSignal;
  /** Called before each way of each length, such as `text prompt, 50 events`. */
  onProgress?(next: string): void;
}

/**
 * What one answer takes of a User-LLM with the context computed from scratch and with it cached, and of the same LLM with
 * the history in its prompt, for histories of several lengths: those of the user with the longest history in the test.
 * Every answer is written greedily, one at a time.
 *
 * @returns None when there are no questions.
 */
export async function measureCosts(
  { catalogue, histories }: Pick<EvaluationData, 'catalogue' | 'histories'>,
  userLlm: AnsweringModel,
  questions: readonly TestQuestion[],
  { historyEvents = [10, 50, 256], maximumTokens = 16, signal, onProgress, ...timing }: CostOptions = {},
): Promise<CostMeasurement[]> {
  const [first] = questions;
  if (first === undefined) return [];
  const { example, position } = questions.reduce(
    (longest, each) => (each.position > longest.position ? each : longest),
    first,
  );
  // All of the history, also where the questions tell only the end of it.
  const known = histories.find(({ user }) => user === example.user)!.events.slice(0, position);
  const prompts = new HistoryPrompts(userLlm, catalogue);
  const options = { maximumTokens, temperature: 0, ...(signal && { signal }) };
  const measured: CostMeasurement[] = [];
  for (const events of historyEvents.filter((each) => each <= known.length)) {
    const history = known.slice(-events);
    const told = prompts.of({ ...example, history }, events);
    const context = await userLlm.context(history, signal);
    const read = Math.min(events, userLlm.model.maximumEvents);
    const ways: readonly (readonly [string, GenerateOptions, 'scratch' | 'cached' | 'none', number])[] = [
      ['User-LLM, context from scratch', { ...options, user: history, prompt: example.instruction }, 'scratch', read],
      ['User-LLM, context cached', { ...options, context, prompt: example.instruction }, 'cached', read],
      ['text prompt', { ...options, withoutUser: true, prompt: told.text }, 'none', told.events],
    ];
    for (const [candidate, question, user, eventsRead] of ways) {
      onProgress?.(`${candidate}, ${events} events`);
      const times = await timeAnswer(() => userLlm.generate(question), timing);
      const promptTokens = encodePrompt(userLlm.parts.textTokenizer, question.prompt).length;
      // The token that ends an answer is generated, but not given.
      const answerTokens = Math.min(maximumTokens, times.answerTokens + 1);
      const size = { historyEvents: events, promptTokens, answerTokens };
      measured.push({
        candidate,
        historyEvents: events,
        eventsRead,
        promptTokens,
        flops: answerFlops(userLlm.model, size, user),
        ...times,
        answerTokens,
      });
    }
  }
  return measured;
}
