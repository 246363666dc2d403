import { fileURLToPath } from 'node:url';

/** The path of a file that `tools/reference/safetensors_golden.py` made. */
export function golden(name: string): string {
  return fileURLToPath(new URL(`goldens/${name}`, import.meta.url));
}
