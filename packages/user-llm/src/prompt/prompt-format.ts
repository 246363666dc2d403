import { ChatTemplate, type ChatMessage, type JsonTokenizer } from '@user-llm/llm';
import type { TextTokenizer } from '@user-llm/plugin';

/** What stands between an instruction and its answer. */
const answerMarker = '\nAnswer:';

/**
 * The tokens of an instruction, ready to be answered: `begin` where the LLM wants one, the instruction's text, and a line
 * that asks for the answer. Training, evaluation and serving all ask in this form, with any tokenizer.
 *
 * The history is no part of it; the text-prompt baseline puts it into `instruction`.
 */
export function encodePrompt(tokenizer: TextTokenizer, instruction: string): number[] {
  // Apart, so that the marker's tokens are the same whatever the instruction ends with.
  return [...tokenizer.opensWith, ...tokenizer.encode(instruction), ...answerMarkerTokens(tokenizer)];
}

/**
 * The tokens of a conversation, ready for its next turn: in the form of the LLM's chat template, where it has one;
 * without, the prompt as `encodePrompt` puts it. Special tokens are the template's alone: what is written like one in a
 * message is plain text.
 *
 * @param prompt What stands for the conversation where there is no template.
 * @throws UserLlmError `bad-chat` when the template refuses the messages, `bad-chat-template`.
 */
export function encodeConversation(
  tokenizer: JsonTokenizer,
  prompt: string,
  messages: readonly ChatMessage[] | undefined,
): number[] {
  if (!messages || tokenizer.chatTemplate === undefined) return encodePrompt(tokenizer, prompt);
  return new ChatTemplate(tokenizer).encode(messages);
}

/** The tokens of an answer, as they follow `encodePrompt`, ended by `end`. */
export function encodeAnswer(tokenizer: TextTokenizer, target: string): number[] {
  return [...tokenizer.encode(` ${target.trim()}`), tokenizer.end];
}

/** The text of an answer's tokens, without `end` and the space that it starts with. */
export function decodeAnswer(tokenizer: TextTokenizer, tokens: readonly number[]): string {
  return tokenizer.decode(tokens.filter((token) => token !== tokenizer.end)).trim();
}

/** The tokens that stand between an instruction and its answer. */
export function answerMarkerTokens(tokenizer: Pick<TextTokenizer, 'encode'>): number[] {
  return tokenizer.encode(answerMarker);
}
