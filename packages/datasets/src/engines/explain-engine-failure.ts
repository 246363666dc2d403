import { UserLlmError } from '@user-llm/tensor';

/** A failure of an engine as an error of this project that says how to mend it. */
export function explainEngineFailure(engine: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const [first = ''] = error.message.split('\n', 1);
  const code = failures.find(([pattern]) => pattern.test(error.message))?.[1] ?? 'engine-failed';
  return new UserLlmError(code, { ...details[code], what: `${engine}: ${first}`, cause: error });
}

const failures = [
  [/No space left on device|File too large|Could not write|max_temp_directory_size/i, 'disk-full'],
  [/Out of Memory|MEMORY_LIMIT_EXCEEDED/i, 'out-of-memory'],
  [/permission denied/i, 'file-not-readable'],
  [/CSV Parser state machine/i, 'bad-lines'],
] as const;

const details = {
  'disk-full': {
    expected: 'room for the output and for what does not fit in memory',
    mend: 'Free space, or choose an output folder on a larger disk; nothing was left behind.',
  },
  'out-of-memory': { mend: 'Raise the memory limit (--memory), or lower the number of threads.' },
  'file-not-readable': { mend: 'Check the permissions.' },
  'bad-lines': { mend: 'Write the file with one kind of line end; where fields are quoted, kinds cannot be mixed.' },
  'engine-failed': {},
} as const;
