import { SafetensorsFile } from '../../src/safetensors/safetensors-file.js';
import type { Tensor } from '../../src/tensor.js';

/** The bytes of a safetensors file with any header, any data, and any announced header length. */
export function fileOf(header: string | Uint8Array, data: Uint8Array, announced?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, announced ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

/** All tensors of a file; it is closed also when one of them cannot be read. */
export async function readEverything(path: string): Promise<Map<string, Tensor>> {
  const file = await SafetensorsFile.open(path);
  try {
    const tensors = new Map<string, Tensor>();
    for (const name of file.names) {
      tensors.set(name, await file.read(name));
    }
    return tensors;
  } finally {
    await file.close();
  }
}
