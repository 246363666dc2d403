import { describe, expect, it } from 'vitest';
import { UserLlmError } from '../src/errors.js';

describe('UserLlmError', () => {
  it('says what, expected, got and how to mend it, as far as it knows', () => {
    const details = { what: 'matmul', expected: '[2, 3]', got: '[3, 2]', mend: 'Transpose it.' };
    const error = new UserLlmError('shape-mismatch', details);
    expect(error.message).toBe('matmul: expected [2, 3], got [3, 2]. Transpose it.');
    expect(error.name).toBe('UserLlmError');
    expect(error.details).toBe(details);
    expect(new UserLlmError('closed', { what: 'file' }).message).toBe('file');
    expect(new UserLlmError('closed', { what: 'file', got: 'nothing' }).message).toBe('file: got nothing');
  });

  it('carries its cause', () => {
    const cause = new Error('disk');
    expect(new UserLlmError('write-failed', { what: 'file', cause }).cause).toBe(cause);
    expect('cause' in new UserLlmError('write-failed', { what: 'file' })).toBe(false);
  });

  it('is known by its marker, also when it comes from another copy of the package', () => {
    const error = new UserLlmError('bad-seed', { what: 'Random' });
    const foreign = Object.defineProperty({ code: 'bad-seed' }, Symbol.for('@user-llm/error'), { value: true });
    for (const known of [error, foreign]) {
      expect(UserLlmError.isInstance(known)).toBe(true);
      expect(UserLlmError.isInstance(known, 'bad-seed')).toBe(true);
      expect(UserLlmError.isInstance(known, 'bad-count')).toBe(false);
    }
    for (const other of [new Error('bad-seed'), { code: 'bad-seed' }, null, undefined, 'bad-seed']) {
      expect(UserLlmError.isInstance(other)).toBe(false);
    }
  });
});
