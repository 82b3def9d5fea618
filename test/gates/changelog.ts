/**
 * What a change log declares as breaking since the last release: the names in backticks of the entries under
 * "Unreleased" that begin with `- **Breaking:** `.
 */
export function declaredBreaks(changelog: string): string[] {
  const [, unreleased = ''] = /^## \[?Unreleased\]?.*?$(.*?)(?=^## |(?![\s\S]))/ims.exec(changelog) ?? [];
  const entries = unreleased.split(/^(?=- |#)/m).filter((entry) => entry.startsWith('- **Breaking:** '));
  return entries.flatMap((entry) => [...entry.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
}
