import { copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { writeFileAtomically } from '@user-llm/tensor';
import { requireAbsent } from '../require-absent.js';
import { writeFolder } from '../write-folder.js';
import { downloadBlob } from './download-blob.js';
import { listModelFiles } from './model-files.js';
import type { HubSettings } from './settings.js';

/** What is fetched. */
export interface DownloadOptions {
  readonly settings: HubSettings;
  /** OWNER/NAME */
  readonly repository: string;
  /** A branch, a tag or a commit; `main` unless told. */
  readonly revision?: string;
  /** One file alone, such as a GGUF file. */
  readonly file?: string;
  /** A folder that gets a copy of the files; the snapshot in the cache is the result when absent. */
  readonly out?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** How far a download is. */
export interface DownloadProgress {
  readonly file: string;
  /** Of all files, in bytes. */
  readonly done: number;
  readonly total: number;
}

/**
 * Fetches a model from the Hub into the cache, in the layout of Hugging Face's own tools: contents in `blobs` by their
 * hashes, `snapshots/COMMIT` with links to them, and `refs` from names of revisions to commits.
 *
 * @returns The folder with the model's files.
 * @throws UserLlmError `no-network`, `not-allowed`, `not-found`, `pickled-weights`, `bad-download`, `bad-answer`,
 *   `bad-argument`; `folder-exists` when `out` is there already, `write-failed`.
 */
export async function downloadModel(options: DownloadOptions): Promise<string> {
  const { settings, repository, revision = 'main', out, signal, onProgress } = options;
  if (out !== undefined) await requireAbsent(out);
  const { commit, files } = await listModelFiles(settings, repository, revision, options.file);
  const folder = join(settings.cache, `models--${repository.replace('/', '--')}`);
  const snapshot = join(folder, 'snapshots', commit);
  await mkdir(join(folder, 'blobs'), { recursive: true });
  await mkdir(snapshot, { recursive: true });
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let before = 0;
  for (const file of files) {
    const target = join(folder, 'blobs', file.hash);
    await downloadBlob({
      settings,
      path: `/${repository}/resolve/${commit}/${file.name}`,
      file,
      target,
      ...(signal && { signal }),
      onBytes: (bytes) => onProgress?.({ file: file.name, done: before + bytes, total }),
    });
    before += file.size;
    await link(target, join(snapshot, file.name));
  }
  if (revision !== commit) {
    const reference = join(folder, 'refs', revision);
    await mkdir(dirname(reference), { recursive: true });
    await writeFileAtomically(reference, commit);
  }
  if (out === undefined) return snapshot;
  await writeFolder(out, async (aside) => {
    for (const { name } of files) await copyFile(join(snapshot, name), join(aside, name));
  });
  return out;
}

async function link(blob: string, path: string): Promise<void> {
  await rm(path, { force: true });
  // Where the file system has no links the content is there twice.
  await symlink(relative(dirname(path), blob), path).catch(() => copyFile(blob, path));
}
