import { UserLlmError } from '@user-llm/tensor';

/** A failure of writing as an error of this project, when it is one of room. */
export function explainWriteFailure(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code !== 'ENOSPC' && code !== 'EFBIG' && code !== 'EDQUOT') return error;
  return new UserLlmError('disk-full', {
    what: path,
    expected: 'room for the file',
    got: code,
    mend: 'Free space, or choose an output folder on a larger disk, and run this again.',
    cause: error,
  });
}
