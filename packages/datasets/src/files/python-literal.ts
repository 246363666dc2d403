/**
 * A literal of Python on one line (`{'asin': '0001', 'price': 2.5, 'related': None}`) as JSON of the same meaning, or
 * nothing when the line is none. JSON itself is one but for `true`, `false` and `null`, which are read as well.
 *
 * Old releases of Amazon's metadata are printed that way. Tuples become arrays; other keys than strings become strings.
 */
export function pythonToJson(line: string): string | undefined {
  const reader = new LiteralReader(line);
  try {
    const value = reader.whole();
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof NotALiteral) return undefined;
    throw error;
  }
}

type Literal = string | number | boolean | null | Literal[] | { [key: string]: Literal };

class NotALiteral extends Error {}

const words: Readonly<Record<string, boolean | null>> = {
  None: null,
  True: true,
  False: false,
  null: null,
  true: true,
  false: false,
};

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '0': '\0',
  '/': '/',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

const digitsOfEscape: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Reads one literal by recursive descent. */
class LiteralReader {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): Literal {
    const value = this.value();
    this.space();
    if (this.at < this.text.length) throw new NotALiteral();
    return value;
  }

  private value(): Literal {
    this.space();
    const char = this.text[this.at] ?? '';
    if (char === '{') return this.dictionary();
    if (char === '[') return this.list(']');
    if (char === '(') return this.list(')');
    const prefix = /[uUbB]?['"]/y;
    prefix.lastIndex = this.at;
    if (prefix.test(this.text)) return this.string();
    return this.wordOrNumber();
  }

  private dictionary(): Literal {
    const entries: [string, Literal][] = [];
    this.at += 1;
    while (!this.take('}')) {
      const key = this.value();
      if (!this.take(':')) throw new NotALiteral();
      entries.push([typeof key === 'string' ? key : JSON.stringify(key), this.value()]);
      if (!this.take(',') && !this.next('}')) throw new NotALiteral();
    }
    return Object.fromEntries(entries);
  }

  private list(close: string): Literal[] {
    const values: Literal[] = [];
    this.at += 1;
    while (!this.take(close)) {
      values.push(this.value());
      if (!this.take(',') && !this.next(close)) throw new NotALiteral();
    }
    return values;
  }

  private string(): string {
    if (!/['"]/.test(this.text[this.at] ?? '')) this.at += 1;
    const quote = this.text[this.at] ?? '';
    const plain = quote === "'" ? /[^'\\]*/y : /[^"\\]*/y;
    let result = '';
    this.at += 1;
    for (;;) {
      plain.lastIndex = this.at;
      const run = plain.exec(this.text)?.[0] ?? '';
      result += run;
      this.at += run.length;
      const char = this.text[this.at];
      this.at += 1;
      if (char === quote) return result;
      if (char !== '\\') throw new NotALiteral();
      result += this.escape();
    }
  }

  private escape(): string {
    const char = this.text[this.at] ?? '';
    this.at += 1;
    const digits = digitsOfEscape[char];
    if (digits === undefined) return escapes[char] ?? `\\${char}`;
    const code = this.text.slice(this.at, this.at + digits);
    if (!/^[0-9a-fA-F]+$/.test(code) || code.length < digits || parseInt(code, 16) > 0x10ffff) throw new NotALiteral();
    this.at += digits;
    return String.fromCodePoint(parseInt(code, 16));
  }

  private wordOrNumber(): Literal {
    const token = /[\w.+-]+/y;
    token.lastIndex = this.at;
    const text = token.exec(this.text)?.[0] ?? '';
    this.at += text.length;
    const word = words[text];
    if (word !== undefined) return word;
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?L?$/.test(text)) throw new NotALiteral();
    const number = Number(text.replace(/L$/, ''));
    if (!Number.isFinite(number)) throw new NotALiteral();
    // A whole number too long for a double keeps its digits as text.
    return /^-?\d+L?$/.test(text) && !Number.isSafeInteger(number) ? text.replace(/L$/, '') : number;
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
  }

  private next(char: string): boolean {
    this.space();
    return this.text[this.at] === char;
  }

  private take(char: string): boolean {
    const found = this.next(char);
    if (found) this.at += 1;
    return found;
  }
}
