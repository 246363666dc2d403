import { UserLlmError } from '@user-llm/tensor';

/**
 * A size that is known only when the graph runs: a polynomial with integer coefficients over named sizes, such as
 * `batch * token` or `past + token`.
 */
export class SymbolicSize {
  /** Coefficient per monomial; a monomial is its factors, sorted and joined by `*`, and `''` is the constant term. */
  readonly terms: ReadonlyMap<string, number>;
  /** Canonical text: equal sizes have equal text. */
  readonly text: string;

  private constructor(terms: ReadonlyMap<string, number>) {
    this.terms = terms;
    this.text = [...terms]
      .map(([factors, coefficient]) =>
        factors === '' ? `${coefficient}` : coefficient === 1 ? factors : `${coefficient}*${factors}`,
      )
      .join('+');
  }

  /** A size with a name, bound by the feeds at run time. */
  static named(name: string): SymbolicSize {
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) {
      throw new UserLlmError('bad-size', {
        what: 'symbolic size',
        expected: 'a name of letters, digits and underscores',
        got: JSON.stringify(name),
      });
    }
    return new SymbolicSize(new Map([[name, 1]]));
  }

  /** The names that the size depends on. */
  get names(): readonly string[] {
    return [...new Set([...this.terms.keys()].flatMap((factors) => (factors === '' ? [] : factors.split('*'))))];
  }

  toString(): string {
    return this.text;
  }

  /** @internal A size from terms, as a number when nothing symbolic is left. */
  static from(terms: ReadonlyMap<string, number>): Size {
    const kept = [...terms].filter(([, coefficient]) => coefficient !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
    if (kept.length === 0) return 0;
    if (kept.length === 1 && kept[0]![0] === '') return kept[0]![1];
    return new SymbolicSize(new Map(kept));
  }
}

/** The size of an axis: a number, or a symbolic size that the feeds bind. */
export type Size = number | SymbolicSize;

/** A size with a name, such as `symbol('batch')`, bound by the feeds at run time. */
export function symbol(name: string): SymbolicSize {
  return SymbolicSize.named(name);
}

function termsOf(size: Size): ReadonlyMap<string, number> {
  return typeof size === 'number' ? new Map([['', size]]) : size.terms;
}

/** `a + factor * b`. */
function combine(a: Size, b: Size, factor: number): Size {
  if (typeof a === 'number' && typeof b === 'number') return a + factor * b;
  const terms = new Map(termsOf(a));
  for (const [factors, coefficient] of termsOf(b)) {
    terms.set(factors, (terms.get(factors) ?? 0) + factor * coefficient);
  }
  return SymbolicSize.from(terms);
}

/** The sum of two sizes. */
export function addSizes(a: Size, b: Size): Size {
  return combine(a, b, 1);
}

/** The difference of two sizes. */
export function subtractSizes(a: Size, b: Size): Size {
  return combine(a, b, -1);
}

/** The product of two sizes. */
export function multiplySizes(a: Size, b: Size): Size {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  const terms = new Map<string, number>();
  for (const [left, x] of termsOf(a)) {
    for (const [right, y] of termsOf(b)) {
      const factors = [left, right]
        .flatMap((part) => (part === '' ? [] : part.split('*')))
        .sort()
        .join('*');
      terms.set(factors, (terms.get(factors) ?? 0) + x * y);
    }
  }
  return SymbolicSize.from(terms);
}

/** The number of elements of a shape. */
export function sizeOfShape(shape: readonly Size[]): Size {
  return shape.reduce<Size>(multiplySizes, 1);
}

/** Whether two sizes are the same whatever the feeds are. */
export function sameSize(a: Size, b: Size): boolean {
  return typeof a === 'number' || typeof b === 'number' ? a === b : a.text === b.text;
}

/** Whether two shapes are the same whatever the feeds are. */
export function sameShape(a: readonly Size[], b: readonly Size[]): boolean {
  return a.length === b.length && a.every((size, axis) => sameSize(size, b[axis]!));
}

/** Values of named sizes. */
export type SizeBindings = ReadonlyMap<string, number>;

/**
 * The number that a size stands for.
 *
 * @throws UserLlmError `unbound-size` when a name it depends on has no value.
 */
export function evaluateSize(size: Size, bindings: SizeBindings): number {
  if (typeof size === 'number') return size;
  let total = 0;
  for (const [factors, coefficient] of size.terms) {
    let product = coefficient;
    for (const name of factors === '' ? [] : factors.split('*')) {
      const value = bindings.get(name);
      if (value === undefined) {
        throw new UserLlmError('unbound-size', {
          what: `size ${size.text}`,
          expected: `a value for ${name}`,
          got: `values for ${[...bindings.keys()].join(', ') || 'nothing'}`,
          mend: 'Let an input of the graph have an axis of exactly that size.',
        });
      }
      product *= value;
    }
    total += product;
  }
  return total;
}

/** The numbers that a shape stands for. */
export function evaluateShape(shape: readonly Size[], bindings: SizeBindings): number[] {
  return shape.map((size) => evaluateSize(size, bindings));
}

/**
 * Binds the symbolic sizes of a declared shape to those of an actual one, adding to `bindings`.
 *
 * @throws UserLlmError `shape-mismatch` when rank, a fixed size, or a size bound before differs.
 */
export function bindShape(
  what: string,
  declared: readonly Size[],
  actual: readonly number[],
  bindings: Map<string, number>,
): void {
  const fail = (): never => {
    throw new UserLlmError('shape-mismatch', {
      what,
      expected: `[${declared.map((size) => (typeof size === 'number' ? size : boundText(size, bindings))).join(', ')}]`,
      got: `[${actual.join(', ')}]`,
      mend: 'Feed a tensor of that shape, or compile the graph for the shape that is fed.',
    });
  };
  if (declared.length !== actual.length) fail();
  declared.forEach((size, axis) => {
    const value = actual[axis]!;
    if (typeof size === 'number') {
      if (size !== value) fail();
    } else if (size.terms.size === 1 && size.terms.get(size.text) === 1 && !bindings.has(size.text)) {
      bindings.set(size.text, value);
    } else if (size.names.every((name) => bindings.has(name)) && evaluateSize(size, bindings) !== value) {
      fail();
    }
  });
}

function boundText(size: SymbolicSize, bindings: SizeBindings): string {
  return size.names.every((name) => bindings.has(name)) ? `${size.text} = ${evaluateSize(size, bindings)}` : size.text;
}
