#!/usr/bin/env bash
# The database of the gateway, and its owner, who is nothing else: run once, when the server is made.
set -euo pipefail
psql --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  --set ON_ERROR_STOP=1 --set password="$GATEWAY_PASSWORD" <<'SQL'
create role gateway login password :'password';
create database contexts owner gateway;
SQL
