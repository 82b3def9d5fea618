import { defineConfig } from 'prisma/config';

// `generate` needs no engine, but the CLI looks for one and would download it: any executable
// file here keeps it offline. Migrations are applied by the gateway itself (src/db/migrate.ts).
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath;

export default defineConfig({ schema: 'prisma/schema.prisma' });
