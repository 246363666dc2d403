/** What the compiler may spend on one project, in type instantiations, by the path of its `tsconfig` folder. */
export type InstantiationBudgets = Readonly<Record<string, number>>;

/**
 * The number of type instantiations in what `tsc --extendedDiagnostics` printed.
 *
 * @throws Error when the output has no such line.
 */
export function readInstantiations(diagnostics: string): number {
  const found = /^Instantiations:\s+(\d+)$/m.exec(diagnostics);
  if (!found?.[1]) throw new Error(`The compiler printed no count of instantiations:\n${diagnostics}`);
  return Number(found[1]);
}

/** One line that holds a measured count against its budget. */
export function compareWithBudget(
  project: string,
  measured: number,
  budget: number,
): { passed: boolean; line: string } {
  const passed = measured <= budget;
  const share = Math.round((100 * measured) / budget);
  const line = `${project}: ${measured} type instantiations, ${share}% of its budget of ${budget}`;
  return {
    passed,
    line: passed ? line : `${line}. Make the types cheaper, or raise the budget in a commit that says why.`,
  };
}
