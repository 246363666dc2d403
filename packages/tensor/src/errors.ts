const marker = Symbol.for('@user-llm/error');

/** What every error of this project carries beside its message. */
export interface ErrorDetails {
  /** What was being done or looked at, such as `matmul` or `weights.safetensors`. */
  readonly what: string;
  /** What would have been right. */
  readonly expected?: string;
  /** What came instead. */
  readonly got?: string;
  /** How to mend it. */
  readonly mend?: string;
  /** The error underneath, if there is one. */
  readonly cause?: unknown;
}

/**
 * The base of every error that `@user-llm/*` packages throw on purpose.
 *
 * The message is `what: expected ..., got .... mend`. `code` is stable across versions (`shape-mismatch`,
 * `bad-safetensors`, ...) and `UserLlmError.isInstance` works across copies of the package.
 */
export class UserLlmError extends Error {
  /** A stable, machine-readable name of what went wrong, in kebab case. */
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(code: string, details: ErrorDetails) {
    const { what, expected, got, mend, cause } = details;
    const middle = [expected && `expected ${expected}`, got && `got ${got}`].filter(Boolean).join(', ');
    super(
      `${what}${middle ? `: ${middle}` : ''}${mend ? `. ${mend}` : ''}`,
      cause === undefined ? undefined : { cause },
    );
    this.name = 'UserLlmError';
    this.code = code;
    this.details = details;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Whether a value is a `UserLlmError`, of this or another copy of the package, with this code if one is given. */
  static isInstance(error: unknown, code?: string): error is UserLlmError {
    return (
      typeof error === 'object' &&
      error !== null &&
      (error as Record<symbol, unknown>)[marker] === true &&
      (code === undefined || (error as UserLlmError).code === code)
    );
  }
}
