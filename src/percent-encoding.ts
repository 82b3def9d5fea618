/** Undefined where the text is not percent-encoded UTF-8 in ASCII. */
export function decodePercent(text: string): string | undefined {
  if (!/^[\x20-\x7e]*$/.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
