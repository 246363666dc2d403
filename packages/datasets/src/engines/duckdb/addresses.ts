import { UserLlmError } from '@user-llm/tensor';
import { isAddress } from '../../files/read-bytes.js';
import { literal } from '../sql.js';
import type { Connection } from './connection.js';

/**
 * Lets a connection read `https://` and `s3://` addresses, when there are any among the files: loads DuckDB's extension
 * httpfs, which DuckDB fetches the first time. Keys for S3 are taken from the usual variables (`AWS_ACCESS_KEY_ID` ...).
 *
 * @throws UserLlmError `addresses-unavailable` when the extension can neither be loaded nor fetched.
 */
export async function openAddresses(connection: Connection, files: readonly string[]): Promise<void> {
  const [address] = files.filter(isAddress);
  if (address === undefined) return;
  try {
    await connection.run('LOAD httpfs').catch(() => connection.run('INSTALL httpfs; LOAD httpfs'));
  } catch (cause) {
    if (!UserLlmError.isInstance(cause)) throw cause;
    throw new UserLlmError('addresses-unavailable', {
      what: address,
      expected: "DuckDB's extension httpfs",
      got: cause.message,
      mend: 'Fetch the file and point at it, or install the extension where there is a network (INSTALL httpfs).',
      cause,
    });
  }
  const secret = s3Secret(process.env);
  if (secret !== undefined) await connection.run(secret);
}

/** The first line of a file at an address. */
export async function firstLineAt(connection: Connection, address: string): Promise<string> {
  const { line } = await connection.one(
    `SELECT line FROM read_csv(${literal(address)}, columns = {line: 'VARCHAR'}, auto_detect = false, header = false,
       delim = '\\0', quote = '', escape = '') LIMIT 1`,
  );
  return String(line ?? '').replace(/^\ufeff/, '');
}

/** SQL that tells DuckDB the keys of S3 that are in the environment; nothing when there are none. */
function s3Secret(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const settings = {
    KEY_ID: environment['AWS_ACCESS_KEY_ID'],
    SECRET: environment['AWS_SECRET_ACCESS_KEY'],
    SESSION_TOKEN: environment['AWS_SESSION_TOKEN'],
    REGION: environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'],
  };
  if (settings.KEY_ID === undefined || settings.SECRET === undefined) return undefined;
  const given = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${literal(value)}`],
  );
  return `CREATE SECRET from_environment (TYPE s3, ${given.join(', ')})`;
}
