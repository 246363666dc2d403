import { UserLlmError } from '@user-llm/tensor';

/** What a piece of a SentencePiece vocabulary is for. */
export type PieceKind = 'normal' | 'unknown' | 'control' | 'user' | 'unused' | 'byte';

/** A token of a SentencePiece vocabulary. */
export interface Piece {
  /** With `▁` for spaces. */
  readonly text: string;
  /** The higher, the earlier it is merged. */
  readonly score: number;
  readonly kind: PieceKind;
}

/** A SentencePiece vocabulary and what is done to texts before it. */
export interface SentencePieces {
  readonly pieces: readonly Piece[];
  /** Whether a space is put before a text. */
  readonly spaceFirst: boolean;
  /** Whether spaces at the ends, and all but one of several, are dropped. */
  readonly fewerSpaces: boolean;
}

const kinds: readonly (PieceKind | undefined)[] = [undefined, 'normal', 'unknown', 'control', 'user', 'unused', 'byte'];

function bad(what: string, expected: string, got: string): UserLlmError {
  return new UserLlmError('bad-tokenizer', {
    what,
    expected,
    got,
    mend: 'Fetch the file again: it is damaged, or no such file.',
  });
}

/** The fields of a protobuf message: numbers (float as raw bytes) and runs of bytes, by field number. */
function* fieldsOf(
  bytes: Uint8Array,
): Generator<{ readonly field: number; readonly bytes: Uint8Array; readonly value: number }> {
  const end = (): UserLlmError => bad('SentencePiece model', 'whole fields', 'a file that ends within one');
  let at = 0;
  const number = (): number => {
    let value = 0;
    // Ten bytes hold a negative number, the exact value of which nobody asks for.
    for (let place = 0; place < 10; place++) {
      const byte = bytes[at++];
      if (byte === undefined) throw end();
      value += (byte & 127) * 128 ** place;
      if (byte < 128) return value;
    }
    throw end();
  };
  while (at < bytes.length) {
    const key = number();
    const [field, wire] = [Math.floor(key / 8), key % 8];
    const value = wire === 0 || wire === 2 ? number() : 0;
    const length = wire === 0 ? 0 : wire === 1 ? 8 : wire === 2 ? value : wire === 5 ? 4 : -1;
    if (length < 0) throw bad('SentencePiece model', 'fields of protobuf', `wire type ${wire}`);
    if (at + length > bytes.length) throw end();
    yield { field, bytes: bytes.subarray(at, at + length), value };
    at += length;
  }
}

const floatOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/**
 * A SentencePiece model file (`*.model`) of the BPE kind.
 *
 * @throws UserLlmError `bad-tokenizer` for a damaged file, another kind of model, or one that maps characters to others.
 */
export function readSentencePiece(bytes: Uint8Array): SentencePieces {
  const pieces: Piece[] = [];
  let modelType = 1;
  let spaceFirst = true;
  // Left out of a file, it is true.
  let fewerSpaces = true;
  let mapped = false;
  for (const { field, bytes: own } of fieldsOf(bytes)) {
    if (field === 1) pieces.push(pieceOf(own));
    if (field === 2) for (const part of fieldsOf(own)) if (part.field === 3) modelType = part.value;
    if (field === 3) {
      for (const part of fieldsOf(own)) {
        if (part.field === 2) mapped = part.bytes.length > 0;
        if (part.field === 3) spaceFirst = part.value !== 0;
        if (part.field === 4) fewerSpaces = part.value !== 0;
      }
    }
  }
  if (pieces.length === 0) throw bad('SentencePiece model', 'pieces', 'none');
  if (modelType !== 2) throw bad('SentencePiece model', 'a model of type BPE (2)', `type ${modelType}`);
  if (mapped)
    throw bad('SentencePiece model', 'a model that leaves characters as they are', 'one that maps them to others');
  return { pieces, spaceFirst, fewerSpaces };
}

function pieceOf(bytes: Uint8Array): Piece {
  let [text, score, kind]: [string, number, PieceKind | undefined] = ['', 0, 'normal'];
  for (const part of fieldsOf(bytes)) {
    if (part.field === 1) text = textOf(part.bytes);
    if (part.field === 2 && part.bytes.length === 4) score = floatOf(part.bytes);
    if (part.field === 3) kind = kinds[part.value];
  }
  if (kind === undefined)
    throw bad('SentencePiece model', 'pieces of known kinds', `another for ${JSON.stringify(text)}`);
  return { text, score, kind };
}

/**
 * The vocabulary file of llama2.c (`tokenizer.bin`): the length of the longest piece, then score, length and bytes of
 * each. It says less than a SentencePiece model; what it leaves out is as in Llama's.
 *
 * @throws UserLlmError `bad-tokenizer` for a damaged file.
 */
export function readLlama2cVocabulary(bytes: Uint8Array): SentencePieces {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Piece[] = [];
  let at = 4;
  while (at < bytes.length) {
    const length = at + 8 <= bytes.length ? view.getInt32(at + 4, true) : -1;
    if (length < 0 || at + 8 + length > bytes.length)
      throw bad('vocabulary of llama2.c', 'whole pieces', 'a file that ends within one');
    const written = textOf(bytes.subarray(at + 8, at + 8 + length));
    // Its writer puts line feeds around the tokens that begin and end.
    const control = /^\n<(\/?)s>\n$/.exec(written);
    const text = control ? `<${control[1]}s>` : written.replaceAll(' ', '▁');
    const kind =
      pieces.length === 0 ? 'unknown' : control ? 'control' : /^<0x[0-9A-F]{2}>$/.test(text) ? 'byte' : 'normal';
    pieces.push({ text, score: view.getFloat32(at, true), kind });
    at += 8 + length;
  }
  if (pieces.length < 3) throw bad('vocabulary of llama2.c', 'pieces', `${pieces.length}`);
  return { pieces, spaceFirst: true, fewerSpaces: false };
}
