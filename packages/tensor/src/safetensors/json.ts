/** A JSON value; objects are maps, so that no key is special. */
export type Json = string | number | boolean | null | readonly Json[] | ReadonlyMap<string, Json>;

const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const words: readonly (readonly [string, boolean | null])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/**
 * JSON as RFC 8259 has it, and stricter than `JSON.parse`: a key that comes twice in an object, half of a surrogate
 * pair, and nesting deeper than `maxDepth` are errors.
 *
 * @throws SyntaxError which says what came where.
 */
export function parseStrictJson(text: string, maxDepth: number): Json {
  let at = 0;

  function fail(expected: string): never {
    const got = at < text.length ? JSON.stringify(text.slice(at, at + 20)) : 'the end';
    throw new SyntaxError(`${expected} at character ${at}, got ${got}`);
  }

  function skipSpace(): void {
    while (at < text.length && ' \t\n\r'.includes(text[at]!)) {
      at++;
    }
  }

  /** Whether this character comes next, after white space; if so it is passed. */
  function accept(character: string): boolean {
    skipSpace();
    const there = text[at] === character;
    at += there ? 1 : 0;
    return there;
  }

  function expect(character: string): void {
    if (!accept(character)) {
      fail(`expected "${character}"`);
    }
  }

  function string(): string {
    const start = at;
    expect('"');
    while (at < text.length && text[at] !== '"') {
      at += text[at] === '\\' ? 2 : 1;
    }
    expect('"');
    try {
      const value = JSON.parse(text.slice(start, at)) as string;
      if (!/\p{Surrogate}/u.test(value)) {
        return value;
      }
    } catch {
      // Said below, with the place.
    }
    at = start;
    return fail('expected a well-formed string');
  }

  function list<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    if (!accept(end)) {
      do {
        items.push(item());
      } while (accept(','));
      expect(end);
    }
    return items;
  }

  function object(depth: number): ReadonlyMap<string, Json> {
    const members = new Map<string, Json>();
    list('}', () => {
      skipSpace();
      const start = at;
      const key = string();
      if (members.has(key)) {
        at = start;
        fail('expected each key once');
      }
      expect(':');
      members.set(key, value(depth));
    });
    return members;
  }

  function value(depth: number): Json {
    skipSpace();
    if (text[at] === '"') {
      return string();
    }
    if (text[at] === '{' || text[at] === '[') {
      if (depth === maxDepth) {
        fail(`expected nesting of at most ${maxDepth}`);
      }
      return accept('{') ? object(depth + 1) : (expect('['), list(']', () => value(depth + 1)));
    }
    numberToken.lastIndex = at;
    const token = numberToken.exec(text)?.[0];
    if (token !== undefined) {
      at += token.length;
      return Number(token);
    }
    const word = words.find(([name]) => text.startsWith(name, at)) ?? fail('expected a value');
    at += word[0].length;
    return word[1];
  }

  const whole = value(0);
  skipSpace();
  return at === text.length ? whole : fail('expected the end');
}
