import { maskedCrc32c } from './crc32c.js';

// The fields of tensorflow/core/util/event.proto and framework/summary.proto that scalars need, as protobuf bytes:
// Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
// Summary { repeated Value value = 1; } Value { string tag = 1; float simple_value = 2; }

const fixed64 = 1;
const varint = 0;
const lengthDelimited = 2;
const fixed32 = 5;

const key = (field: number, type: number): number[] => varintBytes((field << 3) | type);

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

function delimited(field: number, bytes: Iterable<number>): number[] {
  const content = [...bytes];
  return [...key(field, lengthDelimited), ...varintBytes(content.length), ...content];
}

function double(value: number): number[] {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return [...bytes];
}

function float(value: number): number[] {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [...bytes];
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** The first event of a file, which says what kind of file it is. */
export function versionEvent(wallTime: number): Uint8Array {
  return Uint8Array.from([...key(1, fixed64), ...double(wallTime), ...delimited(3, text('brain.Event:2'))]);
}

/**
 * An event with the figures of a step.
 *
 * @param wallTime Seconds since 1970.
 */
export function scalarsEvent(wallTime: number, step: number, figures: Readonly<Record<string, number>>): Uint8Array {
  const values = Object.entries(figures).flatMap(([tag, value]) =>
    delimited(1, [...delimited(1, text(tag)), ...key(2, fixed32), ...float(value)]),
  );
  return Uint8Array.from([
    ...key(1, fixed64),
    ...double(wallTime),
    // A number that is 0 is left out, as protobuf does.
    ...(step === 0 ? [] : [...key(2, varint), ...varintBytes(step)]),
    ...delimited(5, values),
  ]);
}

/** A record of a TFRecord file: length, checksum of the length, content, checksum of the content. */
export function tfRecord(content: Uint8Array): Uint8Array {
  const record = new Uint8Array(16 + content.length);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(content, 12);
  view.setUint32(12 + content.length, maskedCrc32c(content), true);
  return record;
}
