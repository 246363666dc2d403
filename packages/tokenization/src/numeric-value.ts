import type { FieldValue } from '@user-llm/plugin';

/** A price: perhaps a currency sign, then digits, perhaps in groups of three. */
const price = /^\p{Sc}?\s*(-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)$/u;

/**
 * The number in a value: a finite number itself, or a string such as `4.0`, `$1,299.00` or `€ 5`.
 *
 * @returns `NaN` where there is none.
 */
export function numericValue(value: FieldValue): number {
  if (typeof value === 'number') return Number.isFinite(value) ? value : NaN;
  if (typeof value !== 'string') return NaN;
  const trimmed = value.trim();
  const plain = trimmed === '' ? NaN : Number(trimmed);
  if (Number.isFinite(plain)) return plain;
  const digits = price.exec(trimmed)?.[1];
  return digits === undefined ? NaN : Number(digits.replaceAll(',', ''));
}
