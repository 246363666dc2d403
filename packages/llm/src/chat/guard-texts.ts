/**
 * Keeps special tokens out of what users write: a guard is put into every special token that is written in their texts,
 * and where a text's end could become part of one together with what a template puts beside it. White space at the ends
 * stays there, so that templates trim it as ever. Roles, types and names of fields, which templates compare and build
 * tokens of, are left as they are where they are plain names.
 *
 * @param value Messages, or anything of a template's variables: all texts in it are guarded, names of fields too.
 * @param specials The special tokens as they are written; one of a single character cannot be guarded against.
 * @returns The guarded value, and the guard: a text that occurs in none of the texts.
 * @throws TypeError for what JSON cannot hold: a value within itself, a BigInt.
 */
export function guardTexts<T>(value: T, specials: readonly string[]): { readonly guarded: T; readonly guard: string } {
  const whole = JSON.stringify(value) ?? '';
  let guard = '\ufdd0';
  for (let number = 1; whole.includes(guard); number++) guard = `\ufdd0${number}\ufdd1`;
  const guardOne = (text: string): string => guardText(text, specials, guard);
  return { guarded: mapTexts(value, guardOne) as T, guard };
}

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((own) => mapTexts(own, map));
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, own]) => [
    isName(name) ? name : map(name),
    (name === 'role' || name === 'type') && isName(own) ? own : mapTexts(own, map),
  ]);
  return Object.fromEntries(fields);
}

/** Whether a role, a type or a field is a name that can be no special token by itself. */
function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z_]+$/iu.test(value);
}

function guardText(text: string, specials: readonly string[], guard: string): string {
  const core = text.trim();
  if (core === '') return text;
  let safe = core;
  for (const special of specials) {
    // Again, for tokens that overlap with themselves.
    while (special.length > 1 && safe.includes(special))
      safe = safe.replaceAll(special, special[0]! + guard + special.slice(1));
  }
  if (specials.some((special) => mayEndIn(special, core))) safe = guard + safe;
  if (specials.some((special) => mayBeginIn(special, core))) safe += guard;
  const start = text.indexOf(core);
  return text.slice(0, start) + safe + text.slice(start + core.length);
}

/** Whether a text that stands before this one could make its beginning a part of the special token. */
function mayEndIn(special: string, text: string): boolean {
  for (let from = 1; from < special.length; from++) {
    const rest = special.slice(from);
    if (text.startsWith(rest) || rest.startsWith(text)) return true;
  }
  return false;
}

/** Whether a text that stands behind this one could make its end a part of the special token. */
function mayBeginIn(special: string, text: string): boolean {
  for (let to = 1; to < special.length; to++) {
    const start = special.slice(0, to);
    if (text.endsWith(start) || start.endsWith(text)) return true;
  }
  return false;
}
