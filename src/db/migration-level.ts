import { Prisma } from '../generated/prisma/client.js';
import type { Admin } from './database.js';
import { sqlStateOf } from './failures.js';
import { listOwnMigrations } from './migrate.js';

const noSuchTable = '42P01';

/** Whether the database is what this gateway was built for. */
export class MigrationLevel {
  readonly #admin: Admin;
  #needed: Promise<readonly string[]> | undefined;

  constructor(admin: Admin) {
    this.#admin = admin;
  }

  /**
   * Whether all migrations of this build are applied. There may be more: while one gateway after the other is
   * renewed, the older ones go on.
   * @throws what the database does not answer with
   */
  async isReached(): Promise<boolean> {
    this.#needed ??= listOwnMigrations();
    const needed = await this.#needed;
    const applied = await this.#readApplied();
    return needed.every((name) => applied.has(name));
  }

  async #readApplied(): Promise<ReadonlySet<string>> {
    try {
      const rows = await this.#admin.prisma.$queryRaw<{ name: string }[]>(appliedStatement);
      return new Set(rows.map(({ name }) => name));
    } catch (error) {
      if (sqlStateOf(error) === noSuchTable) return new Set();
      throw error;
    }
  }
}

const appliedStatement = Prisma.sql`
  select migration_name as name from _prisma_migrations where finished_at is not null and rolled_back_at is null`;
