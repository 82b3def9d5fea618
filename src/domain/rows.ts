import { Prisma } from '../generated/prisma/client.js';

type ColumnType = 'text' | 'integer' | 'bigint' | 'jsonb' | 'timestamptz';

/** The columns of a table with their PostgreSQL types; an enumeration is text here. */
export type RowColumns = Readonly<Record<string, ColumnType>>;

/**
 * A row as one JSON array of its columns. Prisma takes answers apart column by column, which costs
 * several times as much as one JSON text does.
 */
export function rowArray(columns: RowColumns, table: string): Prisma.Sql {
  const values = Object.entries(columns).map(([name, type]) =>
    // A JSON number of 64 bits would go through a double.
    type === 'bigint' ? `${table}.${name}::text` : `${table}.${name}`,
  );
  return Prisma.raw(`json_build_array(${values.join(', ')})`);
}

/**
 * Makes of such arrays the rows that Prisma would make of the columns. The function is compiled from the
 * columns: a row whose members are added one by one is four times as slow, and then slow to read.
 */
export function rowDecoder<Row>(columns: RowColumns): (values: readonly unknown[]) => Row {
  const members = Object.entries(columns).map(([column, type], place) => {
    const value = `values[${place}]`;
    const decoded = decoders[type] ? `${value} === null ? null : ${type}(${value})` : value;
    return `${prismaName(column)}: ${decoded}`;
  });
  const compile = new Function(...Object.keys(decoders), `return (values) => ({ ${members.join(', ')} });`);
  // The caller says whose columns they are; a test compares with what Prisma reads.
  return compile(...Object.values(decoders)) as (values: readonly unknown[]) => Row;
}

/** Of what JSON has no form for. */
const decoders: Readonly<Partial<Record<ColumnType, (text: string) => unknown>>> = {
  bigint: BigInt,
  timestamptz: (text) => new Date(text),
};

function prismaName(column: string): string {
  if (column === 'prev_customer_id') return 'previousCustomerId';
  return column.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
