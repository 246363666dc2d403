import { UserLlmError } from '@user-llm/tensor';

/** One thing that a conformance suite checks; any test runner can call it. */
export interface Check {
  readonly name: string;
  /** Ends when the part conforms; throws `UserLlmError` `not-conforming` when it does not. */
  run(): Promise<void>;
}

/** Throws unless `holds`. */
export function demand(holds: boolean, what: string, expected: string, got: string): void {
  if (!holds) throw new UserLlmError('not-conforming', { what, expected, got });
}

/** Throws unless a call throws a `UserLlmError` of the code. */
export async function demandError(call: () => unknown, code: string, what: string): Promise<void> {
  const got: unknown = await Promise.resolve()
    .then(call)
    .then(
      () => 'no error',
      (error: unknown) => (UserLlmError.isInstance(error) ? error.code : error),
    );
  demand(got === code, what, `a UserLlmError ${code}`, String(got));
}
