import type { Column } from '@user-llm/plugin';
import { literal } from '../sql.js';
import type { RawValue } from './raw-value.js';

/** SQL of a canonical column: its value, its type, and whether what stands there cannot be read. */
export interface ColumnSql {
  readonly type: string;
  readonly value: string;
  /** True where there is something that cannot be read; absent for kinds that read everything. */
  readonly unreadable?: string;
}

type Kind = Column['kind'];
type ColumnRules = { readonly [K in Kind]: (column: Extract<Column, { kind: K }>, raw: RawValue) => ColumnSql };

const millisecondsPer = { seconds: 1000, milliseconds: 1, microseconds: 0.001 } as const;
const noneIfEmpty = (text: string) => `nullif(${text}, '')`;

/** How each kind of column is made in DuckDB; a kind without its rule does not compile. */
const rules: ColumnRules = {
  text: (column, raw) => ({ type: 'VARCHAR', value: noneIfEmpty(raw.text(column.join)) }),

  number: (column, raw) => {
    if (raw.number !== undefined) {
      const value = `(${raw.number})::DOUBLE`;
      const finite = { type: 'DOUBLE', value: `CASE WHEN isfinite(${value}) THEN ${value} END` };
      return column.unreadable === 'none' ? finite : { type: 'DOUBLE', value, unreadable: `NOT isfinite(${value})` };
    }
    const text = noneIfEmpty(`trim(${raw.text()})`);
    if (column.unreadable === 'none') {
      const value = `try_cast(regexp_replace(${text}, '[$,]', '', 'g') AS DOUBLE)`;
      return { type: 'DOUBLE', value: `CASE WHEN isfinite(${value}) THEN ${value} END` };
    }
    const value = `try_cast(${text} AS DOUBLE)`;
    return { type: 'DOUBLE', value, unreadable: `${text} IS NOT NULL AND NOT coalesce(isfinite(${value}), false)` };
  },

  boolean: (_, raw) => ({
    type: 'BOOLEAN',
    value: `CASE WHEN lower(${raw.text()}) IN ('true', '1', 't', 'yes') THEN true
      WHEN lower(${raw.text()}) IN ('false', '0', 'f', 'no') THEN false END`,
  }),

  time: (column, raw) => {
    if (raw.timestamp !== undefined) return { type: 'BIGINT', value: `epoch_ms((${raw.timestamp})::TIMESTAMP)` };
    const given = raw.number ?? noneIfEmpty(`trim(${raw.text()})`);
    const value =
      column.unit === 'iso'
        ? `epoch_ms(try_cast((${given})::VARCHAR AS TIMESTAMPTZ))`
        : `try_cast(round(try_cast(${given} AS DOUBLE) * ${millisecondsPer[column.unit]}) AS BIGINT)`;
    return { type: 'BIGINT', value, unreadable: `${given} IS NOT NULL AND ${value} IS NULL` };
  },

  texts: (column, raw) => {
    const lists = raw.lists();
    const skipped = column.skip
      ? `list_transform(${lists}, lambda l: CASE WHEN len(l) > ${column.skip} THEN l[${column.skip + 1}:] ELSE l END)`
      : lists;
    const split =
      column.separator === undefined
        ? `flatten(${skipped})`
        : `flatten(list_transform(flatten(${skipped}), lambda x: string_split(x, ${literal(column.separator)})))`;
    const omitted = ['', ...(column.omit ?? [])].map(literal).join(', ');
    const kept = `list_filter(list_transform(${split}, lambda x: trim(x)), lambda x: x NOT IN (${omitted}))`;
    return {
      type: 'VARCHAR[]',
      value: `coalesce(list_filter(${kept}, lambda x, i: list_position(${kept}, x) = i), [])`,
    };
  },
};

/** The SQL of one canonical column. */
export function columnSql(column: Column, raw: RawValue): ColumnSql {
  const rule = rules[column.kind] as (column: Column, raw: RawValue) => ColumnSql;
  return rule(column, raw);
}
