import { fileURLToPath } from 'node:url';

// This file lies as deep in the package as what it is built into: both are looked for from here alone.

/** The path of a script of tools/reference. */
export function referenceScript(name: string): string {
  return fileURLToPath(new URL(`../../reference/${name}`, import.meta.url));
}

/** The path of a built program of this package that runs in a process of its own. */
export function childProgram(name: string): string {
  return fileURLToPath(new URL(`${name}.js`, import.meta.url));
}
