import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatasetSource } from '@user-llm/plugin';
import { demand, type Check } from '@user-llm/plugin/testing';
import { UserLlmError } from '@user-llm/tensor';
import { datasetInput } from '../files/dataset-input.js';
import { datasetFiles, type DatasetManifest } from '../prepare/manifest.js';
import { prepareDataset } from '../prepare/prepare-dataset.js';

/**
 * What every source of data must do: find its files, name its columns, give events without bad rows and the same bytes
 * each time, and say so when the files are not its own.
 *
 * @param source The source.
 * @param input A small sample of its raw files, all of whose rows are good; absent for a source that makes its data.
 */
export function datasetSourceChecks(source: DatasetSource, input?: string): readonly Check[] {
  const check = (name: string, run: (folder: string) => Promise<void>): Check => ({
    name,
    run: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'user-llm-source-'));
      try {
        await run(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  });
  const prepare = (output: string): Promise<DatasetManifest> =>
    prepareDataset({ source, output, threads: 1, ...(input !== undefined && { input }) });
  const checks = [
    check('its name is in kebab case, and it says what it reads', async () => {
      demand(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(source.name), 'name', 'kebab case', source.name);
      demand(source.description.trim() !== '', 'description', 'a sentence', 'nothing');
      await Promise.resolve();
    }),
    check('its columns are named in lower snake case', async (folder) => {
      const { events, items } = await source.locate(datasetInput(input ?? '', folder));
      for (const name of [...Object.keys(events.columns), ...Object.keys(items?.columns ?? {})]) {
        demand(/^[a-z][a-z0-9_]*$/.test(name), 'name of a column', 'lower snake case', name);
      }
    }),
    check('every row of its sample becomes an event', async (folder) => {
      const { rows, counts } = await prepare(join(folder, 'data'));
      const bad = JSON.stringify(rows.events.bad);
      demand(bad === '{}', 'events', 'no bad rows', bad);
      demand(counts.events > 0, 'events', 'at least one', String(counts.events));
      const badItems = JSON.stringify(rows.items.bad);
      demand(badItems === '{}', 'items', 'no bad rows', badItems);
    }),
    check('items with metadata have the ids that events name', async (folder) => {
      const { rows, counts } = await prepare(join(folder, 'data'));
      const described = rows.items.read > 0;
      const met = counts.itemsWithEvents - counts.itemsWithoutMetadata;
      demand(!described || met > 0, 'items', 'metadata of at least one item with events', 'none');
    }),
    check('the same files give the same bytes', async (folder) => {
      const bytes = async (name: string) => {
        await prepare(join(folder, name));
        const read = Object.values(datasetFiles).map((file) =>
          readFile(join(folder, name, file)).catch(() => undefined),
        );
        return Buffer.concat((await Promise.all(read)).filter((content) => content !== undefined));
      };
      const [first, second] = [await bytes('first'), await bytes('second')];
      demand(first.equals(second), 'data set', 'equal bytes', 'others');
    }),
  ];
  if (input === undefined) return checks;
  return [
    ...checks,
    check('a folder without its files is an error that says so', async (folder) => {
      const empty = join(folder, 'empty');
      await mkdir(empty);
      const error = await source.locate(datasetInput(empty, folder)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      demand(UserLlmError.isInstance(error), 'an empty folder', 'a UserLlmError', String(error ?? 'no error'));
    }),
  ];
}
