import { UserLlmError } from '@user-llm/tensor';

/** The error for the use of something that was disposed of. */
export function disposed(what: string): UserLlmError {
  return new UserLlmError('disposed', {
    what,
    expected: 'to be used before dispose()',
    got: 'a call after it',
    mend: 'Make a new one.',
  });
}

/** The error of a run that its signal ended. */
export function aborted(signal: AbortSignal): UserLlmError {
  return new UserLlmError('aborted', { what: 'run', got: 'its signal aborted', cause: signal.reason });
}

/** The error for a second run, before the first has ended, of what makes one at a time. */
export function busy(what: string): UserLlmError {
  return new UserLlmError('busy', {
    what,
    expected: 'one run at a time, since each reads and writes the same memory',
    got: 'a second run before the first had ended',
    mend: 'Await the first.',
  });
}

/** The error for the end of a profile that was never begun. */
export function notProfiling(): UserLlmError {
  return new UserLlmError('not-profiling', {
    what: 'session',
    expected: 'to be made with `profile`, and to end profiling once',
    got: 'a session that does not profile',
  });
}

/** The error for memory that was transferred to another thread since it was handed over. */
export function transferred(what: string): UserLlmError {
  return new UserLlmError('bad-buffer', {
    what,
    expected: 'memory of this thread',
    got: 'a buffer that was transferred',
    mend: 'Do not transfer a buffer that a session reads or writes; share or copy it.',
  });
}
