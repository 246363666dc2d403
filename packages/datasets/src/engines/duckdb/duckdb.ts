import type { TableEngine } from '@user-llm/plugin';
import { Connection } from './connection.js';
import { DuckDbSession } from './session.js';

/** The engine that runs in this process, out of core: DuckDB. It is loaded when it is first used. */
export function duckdb(): TableEngine {
  return {
    name: 'duckdb',
    version: async () => {
      const { version } = await import('@duckdb/node-api');
      return `DuckDB ${version()}`;
    },
    open: async (settings) => new DuckDbSession(await Connection.open(settings), settings),
  };
}
