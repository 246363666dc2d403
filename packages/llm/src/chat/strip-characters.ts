import type { Template } from '@huggingface/jinja';

/** Python's methods that take characters off a text, and which ends they work on. */
const methods: Readonly<Record<string, { readonly start: boolean; readonly end: boolean }>> = {
  strip: { start: true, end: true },
  lstrip: { start: true, end: false },
  rstrip: { start: false, end: true },
};

/** What stands for them in a template: functions of the text and the characters. */
export const stripFunctions = Object.fromEntries(
  Object.entries(methods).map(([name, ends]) => [
    functionOf(name),
    (text: string, characters: string) => stripped(text, new Set(characters), ends),
  ]),
);

/**
 * Makes calls such as `content.lstrip('\n')` those of `stripFunctions`: the library takes off white space whatever it is
 * told. Calls without characters stay.
 */
export function giveStripCharacters({ parsed }: Template): void {
  visit(parsed);
}

/** A node of the template's syntax tree, as far as we look at it. */
interface Node {
  readonly type?: unknown;
  callee?: unknown;
  args?: unknown;
}

function visit(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const call = node as Node;
  const { object, name } = memberOf(call.callee);
  if (
    call.type === 'CallExpression' &&
    Array.isArray(call.args) &&
    call.args.length === 1 &&
    Object.hasOwn(methods, name)
  ) {
    call.args = [object, ...(call.args as unknown[])];
    call.callee = { type: 'Identifier', value: functionOf(name) };
  }
  for (const child of Object.values(node)) visit(child);
}

function memberOf(callee: unknown): { readonly object?: unknown; readonly name: string } {
  const member = (callee ?? {}) as { type?: unknown; object?: unknown; property?: { type?: unknown; value?: unknown } };
  const { type, object, property } = member;
  const named = type === 'MemberExpression' && property?.type === 'Identifier' && typeof property.value === 'string';
  return named ? { object, name: property.value as string } : { name: '' };
}

function functionOf(method: string): string {
  return `${method} of characters`;
}

function stripped(text: string, characters: ReadonlySet<string>, ends: { start: boolean; end: boolean }): string {
  const all = Array.from(text);
  let from = 0;
  let to = all.length;
  while (ends.start && from < to && characters.has(all[from]!)) from++;
  while (ends.end && to > from && characters.has(all[to - 1]!)) to--;
  return all.slice(from, to).join('');
}
