import { UserLlmError } from '@user-llm/tensor';
import type { GgufValue } from './gguf-header.js';

/** Reads metadata of the types that are expected. */
export class GgufMetadata {
  readonly #path: string;
  readonly #values: ReadonlyMap<string, GgufValue>;

  constructor(path: string, values: ReadonlyMap<string, GgufValue>) {
    this.#path = path;
    this.#values = values;
  }

  /** @throws UserLlmError `bad-checkpoint` when it is there and no number; the same in the functions below. */
  number(key: string): number | undefined {
    return this.#read(key, 'a number', (value) => typeof value === 'number');
  }

  /** A number that must be there. */
  requiredNumber(key: string): number {
    const value = this.number(key);
    if (value === undefined) throw this.bad(key, 'a number', 'nothing');
    return value;
  }

  /** A whole number from 1 on that something is made of. @throws UserLlmError `bad-checkpoint` beyond `most` too. */
  size(key: string, most: number): number | undefined {
    const value = this.number(key);
    if (value === undefined || (Number.isInteger(value) && value > 0 && value <= most)) return value;
    throw this.bad(key, `a whole number from 1 to ${most}`, `${value}`);
  }

  /** The keys that begin so. */
  keys(beginning: string): string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(beginning));
  }

  text(key: string): string | undefined {
    return this.#read(key, 'a text', (value) => typeof value === 'string');
  }

  flag(key: string): boolean | undefined {
    return this.#read(key, 'true or false', (value) => typeof value === 'boolean');
  }

  texts(key: string): readonly string[] | undefined {
    return this.#read(key, 'texts', (value) => isListOf(value, 'string'));
  }

  numbers(key: string): readonly number[] | undefined {
    return this.#read(key, 'numbers', (value) => isListOf(value, 'number'));
  }

  bad(key: string, expected: string, got: string): UserLlmError {
    return new UserLlmError('bad-checkpoint', {
      what: `${this.#path}: ${key}`,
      expected,
      got,
      mend: 'Fetch the file again, or make it with the conversion script of llama.cpp.',
    });
  }

  /** The error of what would change the numbers, and is not read. */
  unread(key: string, expected: string, got: string): UserLlmError {
    return new UserLlmError('bad-config', {
      what: `${this.#path}: ${key}`,
      expected,
      got,
      mend: 'Take the Hugging Face folder of the model, or a file with metadata that is read.',
    });
  }

  #read<T extends GgufValue>(key: string, expected: string, fits: (value: GgufValue) => boolean): T | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    if (!fits(value)) throw this.bad(key, expected, JSON.stringify(value).slice(0, 60));
    return value as T;
  }
}

function isListOf(value: GgufValue, type: 'string' | 'number'): boolean {
  return Array.isArray(value) && value.every((own) => typeof own === type);
}
