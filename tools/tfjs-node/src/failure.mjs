/**
 * A build that cannot go on: what was wanted, what came, how to mend it.
 *
 * It has the shape of this project's errors without importing them: the tool runs before anything is built.
 */
export class BuildFailure extends Error {
  /**
   * @param {string} code A stable name in kebab case.
   * @param {{ what: string, expected?: string, got?: string, mend?: string }} details
   */
  constructor(code, { what, expected, got, mend }) {
    const middle = [expected && `expected ${expected}`, got && `got ${got}`].filter(Boolean).join(', ');
    super(`${what}${middle ? `: ${middle}` : ''}${mend ? `. ${mend}` : ''}`);
    this.name = 'BuildFailure';
    this.code = code;
  }
}
