import { randomUUID } from 'node:crypto';
import type { Answer } from '../work/answers.js';
import { problemOf } from './problem.js';

/** Which of OpenAI's two interfaces an answer goes out by. */
export type CompletionKind = 'chat' | 'text';

interface Head {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly model: string;
}

/** The body of a whole answer; reads the answer to its end. */
export async function wholeBody(kind: CompletionKind, model: string, answer: Answer): Promise<object> {
  let text = '';
  for await (const piece of answer.texts) text += piece;
  const head = headOf(kind, model, false);
  const finish_reason = answer.finishReason;
  const choice =
    kind === 'chat'
      ? { index: 0, message: { role: 'assistant', content: text, refusal: null }, logprobs: null, finish_reason }
      : { index: 0, text, logprobs: null, finish_reason };
  return { ...head, choices: [choice], usage: usageOf(answer) };
}

/**
 * An answer as server-sent events, one per token that has a text; ends with `[DONE]`, or with an error when there is
 * one.
 *
 * @param includeUsage Whether the last chunk before the end counts the tokens.
 * @param onError Told of an error that ended the answer.
 */
export async function* streamedBody(
  kind: CompletionKind,
  model: string,
  answer: Answer,
  includeUsage: boolean,
  onError: (error: unknown) => void,
): AsyncGenerator<string, void, undefined> {
  const head = headOf(kind, model, true);
  const usage = includeUsage ? { usage: null } : {};
  const chunk = (delta: object, finish_reason: string | null) =>
    event({ ...head, choices: [{ index: 0, ...delta, logprobs: null, finish_reason }], ...usage });
  const piece = (text: string) => (kind === 'chat' ? { delta: { content: text } } : { text });
  try {
    if (kind === 'chat') yield chunk({ delta: { role: 'assistant', content: '' } }, null);
    for await (const text of answer.texts) if (text !== '') yield chunk(piece(text), null);
    yield chunk(kind === 'chat' ? { delta: {} } : { text: '' }, answer.finishReason);
    if (includeUsage) yield event({ ...head, choices: [], usage: usageOf(answer) });
    yield 'data: [DONE]\n\n';
  } catch (error) {
    onError(error);
    yield event(problemOf(error).body);
  } finally {
    await answer.close();
  }
}

function headOf(kind: CompletionKind, model: string, streamed: boolean): Head {
  const object = kind === 'text' ? 'text_completion' : `chat.completion${streamed ? '.chunk' : ''}`;
  const id = `${kind === 'chat' ? 'chatcmpl' : 'cmpl'}-${randomUUID().replaceAll('-', '')}`;
  return { id, object, created: Math.floor(Date.now() / 1000), model };
}

const event = (body: object) => `data: ${JSON.stringify(body)}\n\n`;

const usageOf = ({ promptTokens, completionTokens }: Answer) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});
