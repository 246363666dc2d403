/** A metadata value: its type's number, and what to write. */
export type GgufField = readonly [key: string, type: number, value: number | bigint | string | readonly string[]];

/** A tensor's entry in the header. */
export interface GgufTensorField {
  readonly name: string;
  /** As the file has them, innermost first. */
  readonly sizes: readonly (number | bigint)[];
  readonly kind: number;
  readonly offset: number | bigint;
}

/** What a file is made of; counts are those of the lists unless told. */
export interface GgufContent {
  readonly magic?: string;
  readonly version?: number;
  readonly tensors?: readonly GgufTensorField[];
  readonly tensorCount?: bigint;
  readonly fields?: readonly GgufField[];
  readonly fieldCount?: bigint;
  /** Bytes behind the header. */
  readonly data?: number;
}

/** Writes GGUF files byte by byte, also such as nobody should. */
export class GgufBytes {
  readonly #parts: Uint8Array[] = [];

  static file(content: GgufContent): Uint8Array {
    const { magic = 'GGUF', version = 3, tensors = [], fields = [], data = 0 } = content;
    const bytes = new GgufBytes();
    bytes.raw(new TextEncoder().encode(magic)).uint32(version);
    bytes.uint64(content.tensorCount ?? tensors.length).uint64(content.fieldCount ?? fields.length);
    for (const [key, type, value] of fields) bytes.text(key).uint32(type).value(type, value);
    for (const { name, sizes, kind, offset } of tensors) {
      bytes.text(name).uint32(sizes.length);
      for (const size of sizes) bytes.uint64(size);
      bytes.uint32(kind).uint64(offset);
    }
    const header = Buffer.concat(bytes.#parts);
    return Buffer.concat([header, new Uint8Array(data > 0 ? data + ((32 - (header.length % 32)) % 32) : 0)]);
  }

  /** A file with further metadata; its data stay where their alignment wants them. */
  static withFields(file: Uint8Array, fields: readonly GgufField[]): Uint8Array {
    const more = new GgufBytes();
    for (const [key, type, value] of fields) more.text(key).uint32(type).value(type, value);
    const filler = 8 + 'filler'.length + 4 + 8;
    const length = Buffer.concat(more.#parts).length + filler;
    more
      .text('filler')
      .uint32(8)
      .text(' '.repeat((32 - (length % 32)) % 32));
    const bytes = Buffer.concat([file.subarray(0, 24), ...more.#parts, file.subarray(24)]);
    bytes.writeBigUInt64LE(bytes.readBigUInt64LE(16) + BigInt(fields.length + 1), 16);
    return bytes;
  }

  /** A file with another number for a metadata key that is a whole one in it. */
  static withNumber(file: Uint8Array, key: string, value: number): Uint8Array {
    const bytes = Buffer.from(file);
    bytes.writeUInt32LE(value, bytes.indexOf(key) + key.length + 4);
    return bytes;
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  uint32(value: number): this {
    return this.raw(new Uint8Array(Uint32Array.of(value).buffer));
  }

  uint64(value: number | bigint): this {
    return this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.uint64(bytes.length).raw(bytes);
  }

  value(type: number, value: GgufField[2]): this {
    if (type === 8) return this.text(value as string);
    if (type === 4) return this.uint32(value as number);
    if (type === 6) return this.raw(new Uint8Array(Float32Array.of(value as number).buffer));
    if (type !== 9) return this.uint64(value as bigint);
    const texts = value as readonly string[];
    this.uint32(8).uint64(texts.length);
    for (const text of texts) this.text(text);
    return this;
  }
}
