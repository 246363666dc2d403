import { access, readFile } from 'node:fs/promises';
import type { Catalogue, Registry, TextTokenizer } from '@user-llm/plugin';
import { promptOf } from '@user-llm/tasks';
import { UserLlmError } from '@user-llm/tensor';
import { encodeAnswer, encodePrompt } from '@user-llm/user-llm';
import { TaskExamples } from './task-examples.js';
import type { TokenizedData } from './training-data.js';

/** What is said of each item: its title, its categories and its description, in one text. */
export function catalogueTexts(catalogue: Catalogue): string[] {
  return [...catalogue.values()].flatMap(({ item, title, categories, description }) => {
    const parts = [title ?? item, categories?.join(', '), description].filter((part) => (part ?? '') !== '');
    return [parts.join(' | ').replace(/\s+/gu, ' ').trim()];
  });
}

/**
 * The texts of files: each line one, or of `.jsonl` files the field `text` of each line. Empty ones are left out.
 *
 * @throws UserLlmError `bad-texts` when a file cannot be read or a line has no text.
 */
export async function fileTexts(files: readonly string[]): Promise<string[]> {
  const texts: string[] = [];
  for (const file of files) {
    const content = await readFile(file, 'utf8').catch((cause: unknown) =>
      Promise.reject(badTexts(file, 'no file', cause)),
    );
    for (const [at, line] of content.split(/\r?\n/u).entries()) {
      if (line.trim() !== '') texts.push(file.endsWith('.jsonl') ? textOf(line, `${file}, line ${at + 1}`) : line);
    }
  }
  return texts;
}

/**
 * Checks that a file of texts is there.
 *
 * @throws UserLlmError `bad-texts` when it is not.
 */
export async function requireTextFile(file: string): Promise<void> {
  await access(file).catch((cause: unknown) => Promise.reject(badTexts(file, 'no file', cause)));
}

function textOf(line: string, where: string): string {
  try {
    const { text } = JSON.parse(line) as { readonly text?: unknown };
    if (typeof text === 'string') return text;
  } catch (cause) {
    throw badTexts(where, 'no JSON', cause);
  }
  throw badTexts(where, 'no field text');
}

function badTexts(what: string, got: string, cause?: unknown): UserLlmError {
  const mend = 'Give text files, or .jsonl files of objects with a field text.';
  return new UserLlmError('bad-texts', { what, expected: 'texts', got, mend, ...(cause !== undefined && { cause }) });
}

/** Questions about training users with some of the history in words, and their answers. */
export interface PromptTexts {
  readonly count: number;
  /** Names of the tasks. */
  readonly tasks: readonly string[];
  readonly lastEvents: number;
}

/** Prompts and answers, each drawn by its number. */
export function* promptTexts(
  { count, tasks, lastEvents }: PromptTexts,
  data: TokenizedData,
  registry: Registry,
  seed: number,
): Generator<{ readonly prompt: string; readonly target: string }> {
  const source = new TaskExamples({
    data,
    tasks: tasks.map((name) => ({ task: registry.get('tasks', name), weight: 1 })),
    part: 'train',
    sampling: 'events',
    maximumEvents: Math.max(1, lastEvents),
    seed,
  });
  for (let number = 0; number < count; number++) {
    const { example } = source.at(number);
    const prompt = lastEvents === 0 ? example.instruction : promptOf(example, data.catalogue, { lastEvents }).text;
    yield { prompt, target: example.target };
  }
}

/** A text as tokens, with what opens it and ends it. */
export function textTokens(tokenizer: TextTokenizer, text: string): number[] {
  return [...tokenizer.opensWith, ...tokenizer.encode(text), tokenizer.end];
}

/** A prompt and its answer as tokens, in the form that questions are asked in. */
export function promptAndAnswer(tokenizer: TextTokenizer, prompt: string, target: string): number[] {
  return [...encodePrompt(tokenizer, prompt), ...encodeAnswer(tokenizer, target)];
}
