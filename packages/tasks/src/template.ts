/** Wordings of one instruction. Changing any of them raises `version`, so that results say which wording they are of. */
export interface Template {
  readonly version: number;
  /** Each with placeholders in braces, such as `{title}`. */
  readonly phrasings: readonly string[];
}

/** An instruction, and the name of the wording it has. */
export interface FilledTemplate {
  readonly instruction: string;
  /** `task@version#phrasing`. */
  readonly template: string;
}

/**
 * Puts values into a wording.
 *
 * @param phrasing Which wording; wraps around.
 */
export function fillTemplate(
  task: string,
  { version, phrasings }: Template,
  phrasing: number,
  values: Readonly<Record<string, string>>,
): FilledTemplate {
  const index = ((Math.trunc(phrasing) % phrasings.length) + phrasings.length) % phrasings.length;
  const instruction = phrasings[index]!.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
  return { instruction, template: `${task}@${version}#${index}` };
}
