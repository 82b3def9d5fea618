/** How much is done: all of it, or a quarter with `LONG=short`. */
export function rounds(all: number): number {
  return process.env['LONG'] === 'short' ? all / 4 : all;
}
