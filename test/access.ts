import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Only there other users can run the sources: a checkout below a closed home is its owner's alone. */
export async function canOthersRead(directory: string): Promise<boolean> {
  const { mode } = await stat(directory);
  const isOpen = (mode & 0o005) === 0o005;
  return isOpen && (directory === '/' || (await canOthersRead(dirname(directory))));
}
