import { UserLlmError } from '@user-llm/tensor';

/** Codes of Node.js for "nobody is there". */
const unreachable = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'ENETDOWN',
]);

/** Whether a failure means that there is no network, or nobody at the address. */
export const isUnreachable = (error: unknown): boolean => {
  if (error instanceof AggregateError) return error.errors.every(isUnreachable);
  return unreachable.has((error as NodeJS.ErrnoException | undefined)?.code ?? '');
};

/** There is no network, or nobody at the address: says which file to put where. */
export const noNetwork = (address: string, path: string, cause: unknown): UserLlmError =>
  new UserLlmError('no-network', {
    what: address,
    expected: 'a network that reaches it',
    got: String((cause as NodeJS.ErrnoException).code ?? cause),
    mend: `Fetch that file where there is a network, put it at ${path}, and run this again.`,
    cause,
  });

/** The server has another answer than the file. */
export function badAnswer(address: string, status: number): UserLlmError {
  const gone = status === 404 || status === 410;
  return new UserLlmError(gone ? 'download-not-found' : 'download-failed', {
    what: address,
    expected: 'the file',
    got: `status ${status}`,
    mend: gone
      ? 'Check the name, its capitals too, or look on the pages of the publisher whether the file has moved.'
      : 'Try again later; what was fetched so far is kept.',
  });
}

/** The connection was cut again and again. */
export const brokenOff = (address: string, bytes: number, cause: unknown): UserLlmError =>
  new UserLlmError('download-failed', {
    what: address,
    expected: 'the whole file',
    got: `${bytes} bytes, then ${cause instanceof Error ? cause.message : String(cause)}`,
    mend: 'Run this again: it goes on where it was cut.',
    cause,
  });

/** The file is not the one that the publisher describes. */
export const wrongChecksum = (path: string, expected: string, got: string, kept: boolean): UserLlmError =>
  new UserLlmError('wrong-checksum', {
    what: path,
    expected: `MD5 ${expected}`,
    got,
    mend: kept ? 'Delete the file and run this again.' : 'The file was deleted; run this again.',
  });
