import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { BadRow, StageReport, TableLimits, TableSession } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { duckdb } from '../engines/duckdb/duckdb.js';
import { datasetInput } from '../files/dataset-input.js';
import { explainWriteFailure } from '../files/explain-write-failure.js';
import { inspectFile } from '../files/inspect.js';
import { beginFolder, type OutputFolder } from '../files/output-folder.js';
import { version } from '../version.js';
import { assertFewBadRows, writeBadRows } from './bad-rows.js';
import { badRowCount, datasetFiles, noRows, type DatasetManifest, type RowCounts } from './manifest.js';
import { parseOptions, type PrepareOptions, type Shape } from './options.js';
import { checkFiles, type CheckedTable } from './raw-inputs.js';

const listedBadRows = 1000;

/**
 * Makes a data set of raw files: `events.parquet`, `items.parquet`, `manifest.json`, and `bad-rows.jsonl` when rows
 * could not be used.
 *
 * Works out of core. The same files and options give the same bytes; the folder appears whole or not at all.
 *
 * @returns What the manifest says.
 * @throws UserLlmError when files are missing, cut off or of another shape, `too-many-bad-rows`, `no-events`,
 *   `output-not-empty`, `disk-full`, `bad-options`.
 */
export async function prepareDataset(options: PrepareOptions): Promise<DatasetManifest> {
  const { shape, resources } = parseOptions(options);
  const engine = options.engine ?? duckdb();
  const folder = await beginFolder(options.output, datasetFiles.manifest);
  let session: TableSession | undefined;
  try {
    const { events, items } = await findInputs(options, folder.scratch);
    const scratch = join(folder.scratch, 'engine');
    await mkdir(scratch);
    session = await engine.open({
      scratch,
      ...resources,
      ...(options.signal && { signal: options.signal }),
      ...(options.onProgress && { onProgress: options.onProgress }),
    });
    const { earliest, latest, duplicates } = shape;
    const limits: TableLimits = { earliest, latest, duplicates, listedBadRows };
    const eventRows = named(await session.stageEvents(events.table, limits), events);
    assertFewBadRows('events', eventRows, shape.maxBadRowShare);
    const itemRows = items && named(await session.stageItems(items.table, limits), items);
    if (itemRows) assertFewBadRows('items', itemRows, shape.maxBadRowShare);

    const filtered = await session.filter({ user: Math.max(shape.minHistory, shape.kCore), item: shape.kCore });
    if (filtered.time === undefined) throw noEvents(eventRows, shape);
    const writtenEvents = await session.writeEvents(join(folder.path, datasetFiles.events));
    const writtenItems = await session.writeItems(join(folder.path, datasetFiles.items));
    await session.close();
    session = undefined;

    options.onProgress?.({ step: 'finish' });
    const badRows = [...eventRows.badRows, ...(itemRows?.badRows ?? [])];
    if (badRows.length > 0) await writeBadRows(join(folder.path, datasetFiles.badRows), badRows);
    const manifest: DatasetManifest = {
      format: 'user-llm-dataset',
      version: 1,
      source: options.source.name,
      ...(options.source.citation !== undefined && { citation: options.source.citation }),
      madeBy: { package: `@user-llm/datasets ${version}`, engine: await engine.version() },
      options: shape,
      inputs: [...events.inputs, ...(items?.inputs ?? [])],
      rows: { events: counted(eventRows), items: itemRows ? counted(itemRows) : { ...noRows, bad: {} } },
      counts: {
        events: filtered.events,
        users: filtered.users,
        items: writtenItems.items,
        itemsWithEvents: filtered.items,
        itemsWithoutMetadata: writtenItems.withoutMetadata,
        filterRounds: filtered.rounds,
      },
      time: { first: new Date(filtered.time.first).toISOString(), last: new Date(filtered.time.last).toISOString() },
      schema: { events: writtenEvents.columns, items: writtenItems.columns },
      files: {
        [datasetFiles.events]: await outputFacts(folder, datasetFiles.events, writtenEvents.rows),
        [datasetFiles.items]: await outputFacts(folder, datasetFiles.items, writtenItems.rows),
      },
    };
    await writeFile(join(folder.path, datasetFiles.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
    options.signal?.throwIfAborted();
    await folder.commit();
    return manifest;
  } catch (error) {
    throw explainWriteFailure(options.output, error);
  } finally {
    await session?.close();
    await folder.discard();
  }
}

/** Lets the source find its files, and checks them. */
async function findInputs({ source, input, signal, onProgress }: PrepareOptions, scratch: string) {
  onProgress?.({ step: 'check files' });
  const [made, rewritten] = [join(scratch, 'made'), join(scratch, 'rewritten')];
  await mkdir(made);
  await mkdir(rewritten);
  const raw = await source.locate(datasetInput(input ?? '', made));
  return {
    events: await checkFiles('events', raw.events, rewritten, { signal }),
    items: raw.items && (await checkFiles('items', raw.items, rewritten, { signal })),
  };
}

/** A report whose bad rows name the raw files, without their folders. */
function named(report: StageReport, { original }: Pick<CheckedTable<unknown>, 'original'>): StageReport {
  const badRows = report.badRows.map((row): BadRow => ({ ...row, file: basename(original(row.file)) }));
  return { ...report, badRows };
}

const counted = ({ rows, bad, duplicates }: StageReport): { -readonly [K in keyof RowCounts]: RowCounts[K] } => ({
  read: rows,
  bad,
  duplicates,
});

async function outputFacts(folder: OutputFolder, name: string, rows: number) {
  const facts = await inspectFile(join(folder.path, name), { text: false });
  return { bytes: facts?.bytes ?? 0, sha256: facts?.sha256 ?? '', rows };
}

function noEvents({ rows, bad, duplicates }: StageReport, shape: Shape): UserLlmError {
  const usable = rows - badRowCount(bad) - duplicates;
  return new UserLlmError('no-events', {
    what: 'Prepared data set',
    expected: 'at least one event',
    got: `none of ${rows} rows (${usable} usable before users and items were filtered)`,
    mend:
      usable > 0
        ? `Lower the thresholds (minimum history ${shape.minHistory}, k-core ${shape.kCore}).`
        : 'Check that these are the right files.',
  });
}
