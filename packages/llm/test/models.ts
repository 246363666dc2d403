import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = process.env['USER_LLM_MODELS'] ?? fileURLToPath(new URL('../../../../shared/models', import.meta.url));

/** Where a real model lies, and what is missing where it does not. */
export function realModel(name: string): { readonly path: string; readonly missing: boolean; readonly says: string } {
  const path = join(root, name);
  const missing = !existsSync(path);
  return { path, missing, says: missing ? ` (skipped: no ${name} in USER_LLM_MODELS)` : '' };
}
