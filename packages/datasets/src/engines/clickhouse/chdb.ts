import { join } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';
import { explainEngineFailure } from '../explain-engine-failure.js';
import type { ClickHouse, ClickHouseRow } from './clickhouse.js';

/** ClickHouse in this process, one at a time. */
export async function connectChdb(
  settings: Readonly<Record<string, string | number>>,
  scratch: string,
): Promise<ClickHouse> {
  const { drainPending, Session } = await import('chdb').catch((cause: unknown) => {
    throw new UserLlmError('engine-missing', {
      what: 'ClickHouse',
      expected: 'the package chdb, or a connection to a server',
      got: cause instanceof Error ? cause.message : String(cause),
      mend: 'Install it (npm install chdb), or use DuckDB.',
      cause,
    });
  });
  const explained = (cause: unknown) => Promise.reject(explainEngineFailure('ClickHouse', cause) as Error);
  const session = await Promise.resolve()
    .then(() => new Session(join(scratch, 'clickhouse')))
    .catch(explained);
  const run = async (sql: string): Promise<readonly ClickHouseRow[]> => {
    const result = await session.queryAsync(sql, { format: 'JSONEachRow' }).catch(explained);
    const lines = result.text().split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ClickHouseRow);
  };
  const assignments = Object.entries(settings).map(
    ([name, value]) => `${name} = ${typeof value === 'number' ? value : `'${value}'`}`,
  );
  await run(`SET ${assignments.join(', ')}`);
  return {
    run,
    close: async () => {
      session.close();
      await drainPending();
    },
  };
}
