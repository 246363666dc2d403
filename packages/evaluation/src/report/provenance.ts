import { execFile } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';

/** Where the figures of a report come from. */
export interface Provenance {
  /** The command that made it, word by word. */
  readonly command: readonly string[];
  /** When, in ISO 8601. */
  readonly madeAt: string;
  /** The commit of the repository that the command ran in; absent outside of one. */
  readonly gitCommit?: string;
  /** Whether files differed from that commit. */
  readonly gitChanged?: boolean;
  /** Hash of the model, where there is one. */
  readonly model?: string;
  readonly machine: {
    readonly processor: string;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly platform: string;
    readonly node: string;
  };
}

/**
 * Finds out where figures come from.
 *
 * @param folder The folder whose repository counts.
 */
export async function findProvenance(
  command: readonly string[],
  { folder, model, madeAt = new Date() }: { readonly folder: string; readonly model?: string; readonly madeAt?: Date },
): Promise<Provenance> {
  const git = (...words: string[]) =>
    promisify(execFile)('git', ['-C', folder, ...words]).then(
      ({ stdout }) => stdout.trim(),
      () => undefined,
    );
  const commit = await git('rev-parse', 'HEAD');
  const changes = commit === undefined ? undefined : await git('status', '--porcelain', '--untracked-files=no');
  const processors = cpus();
  return {
    command: [...command],
    madeAt: madeAt.toISOString(),
    ...(commit !== undefined && { gitCommit: commit }),
    ...(changes !== undefined && { gitChanged: changes !== '' }),
    ...(model !== undefined && { model }),
    machine: {
      processor: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      memoryBytes: totalmem(),
      platform: `${process.platform} ${process.arch}`,
      node: process.version,
    },
  };
}
