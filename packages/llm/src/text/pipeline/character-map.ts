const encoder = new TextEncoder();
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Graphemes of more bytes are mapped character by character. */
const longestGrapheme = 5;

/**
 * The map of characters that SentencePiece compiles into its models (`precompiled_charsmap`): a double array over UTF-8,
 * whose values are places in a run of texts that end with NUL.
 *
 * @param base64 The map as `tokenizer.json` holds it.
 */
export function characterMap(base64: string): (text: string) => string {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  const view = new DataView(bytes.buffer);
  const length = bytes.length < 4 ? -1 : view.getUint32(0, true);
  if (length < 0 || length % 4 !== 0 || 4 + length > bytes.length) throw new Error('a damaged precompiled_charsmap');
  const units = Uint32Array.from({ length: length / 4 }, (_, at) => view.getUint32(4 + 4 * at, true));
  const texts = bytes.subarray(4 + length);
  const mapped = (part: string): string | undefined => {
    const place = firstValue(units, encoder.encode(part));
    return place === undefined ? undefined : textAt(texts, place);
  };
  return (text) => {
    let whole = '';
    for (const { segment } of graphemes.segment(text)) {
      const known = encoder.encode(segment).length <= longestGrapheme ? mapped(segment) : undefined;
      if (known !== undefined) whole += known;
      else for (const character of segment) whole += mapped(character) ?? character;
    }
    return whole;
  };
}

/** The value of the shortest key that the bytes start with. */
function firstValue(units: Uint32Array, bytes: Uint8Array): number | undefined {
  let at = offsetOf(units[0] ?? 0);
  for (const byte of bytes) {
    at ^= byte;
    const unit = units[at];
    if (byte === 0 || unit === undefined || (unit & 0x800000ff) !== byte) return undefined;
    at ^= offsetOf(unit);
    if ((unit >>> 8) & 1) return (units[at] ?? 0) & 0x7fffffff;
  }
  return undefined;
}

const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

function textAt(texts: Uint8Array, place: number): string {
  const end = texts.indexOf(0, place);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(texts.subarray(place, end === -1 ? texts.length : end));
}
