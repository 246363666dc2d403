import { readFile } from 'node:fs/promises';
import type { ApiKey } from '@user-llm/serving';
import { UserLlmError } from '@user-llm/tensor';

/** The tenant of a key that names none; a data set's users are its. */
export const defaultTenant = 'default';

/** Shortest key that is taken. */
const shortest = 16;

/**
 * Reads API keys, one per line: the key, or the name of a tenant, a space, and the key; `#` starts a comment.
 *
 * @throws UserLlmError `bad-api-keys` when the file cannot be read, has no key, one that is too short, or one twice.
 */
export async function readApiKeys(file: string): Promise<readonly ApiKey[]> {
  const fail = (got: string, cause?: unknown): never => {
    throw new UserLlmError('bad-api-keys', {
      what: file,
      expected: `a line per key, KEY or TENANT KEY, of at least ${shortest} characters`,
      got,
      mend: 'Make a key: openssl rand -hex 24',
      cause,
    });
  };
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return fail('a file that cannot be read', error);
  }
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/));
  const keys: ApiKey[] = [];
  for (const [at, words] of lines.entries()) {
    if (words[0] === '') continue;
    const [first, second] = words;
    const key = second ?? first!;
    if (words.length > 2) fail(`${words.length} words in line ${at + 1}`);
    if (key.length < shortest) fail(`${key.length} characters in line ${at + 1}`);
    if (keys.some((other) => other.key === key)) fail(`the key of line ${at + 1} twice`);
    keys.push({ key, tenant: second === undefined ? defaultTenant : first! });
  }
  return keys.length > 0 ? keys : fail('no key');
}
